#!/usr/bin/env python3
"""growth.py PROTOCOLS_TEST [DIRECTORY]: how the cost of gossip and of repair grows. Runs the two tests that measure it, and
draws DIRECTORY/membership_rounds.svg and DIRECTORY/repair_bytes.svg (docs by default) with gnuplot (package gnuplot-nox).

    notebooks/growth.py build/release/protocols/protocols_test
"""
import pathlib
import re
import subprocess
import sys

STYLE = "set terminal svg size 640,360 font 'sans,12' background 'white'; set grid; set key left top;"


def measured(program, test, row):
    """The rows of numbers that a test prints."""
    run = subprocess.run([program, "--gtest_filter=" + test], stdout=subprocess.PIPE, text=True, check=True)
    rows = [[float(number) for number in found.groups()] for line in run.stdout.splitlines() if (found := re.match(row, line))]
    if not rows:
        sys.exit(f"growth: {test} printed no rows")
    return rows


def draw(path, settings, blocks, plot):
    data = "".join(f"${name} << EOD\n" + "".join(" ".join(map(str, row)) + "\n" for row in rows) + "EOD\n"
                   for name, rows in blocks.items())
    subprocess.run(["gnuplot"], input=f"{data}{STYLE}\nset output '{path}'\n{settings}\nplot {plot}\n", text=True, check=True)
    print(path)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    program = sys.argv[1]
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else pathlib.Path(__file__).parent.parent / "docs")

    rounds = measured(program, "Gossip.news_is_everywhere*", r" *(\d+) +([\d.]+)$")
    draw(out / "membership_rounds.svg",
         "set logscale x 2; set xlabel 'members'; set ylabel 'periods until everyone knows'; set yrange [0:12]",
         {"rounds": rounds}, "$rounds with linespoints pt 7 title 'measured', log(x)/log(2) title 'log_2 n'")

    repair = measured(program, "AntiEntropy.bytes_are*", r"\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| \d+ \|")
    held = sorted({row[0] for row in repair})
    blocks = {f"held{i}": [(differ, hashes + objects) for rows, differ, hashes, objects in repair if rows == one and differ > 0]
              for i, one in enumerate(held)}
    lines = [f"${name} with linespoints pt 7 title 'bytes, {one:,.0f} rows held'" for name, one in zip(blocks, held)]
    draw(out / "repair_bytes.svg",
         "set logscale xy; set xlabel 'rows that differ'; set ylabel 'bytes on the wire'; set format y '10^{%L}'",
         blocks, ", ".join(lines + ["200*x dashtype 2 title 'the differing objects alone'"]))


if __name__ == "__main__":
    main()
