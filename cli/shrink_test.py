#!/usr/bin/env python3
"""shrink_test.py PROGRAM SCENARIOS [BUG …]: a planted bug is found by its swarm, its recording shrunk and explained. The shrunk
file must fail again by itself and alike, and hold once the bug is off. Prints a row a bug: the table of docs/shrinking.md.
Without BUG: all."""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

BUGS = ["log_acknowledges_before_sync", "log_never_syncs", "actor_counters_reissued", "truncation_drops_newest",
        "sloppy_quorum_trusted", "hint_deleted_before_delivered", "hint_resurrects_delete", "merkle_blind_to_expiry",
        "tombstone_collected_before_repair", "range_served_before_whole"]
SEEDS_AT_ONCE = 4
SEEDS_MAX = 200
SHRINK_FOR = "2min"
# The bars, for the median.
FAULTS, CLIENTS, OPERATIONS = 2, 3, 10


def call(program, *arguments):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def first_violated(program, scenario, directory):
    for first in range(1, SEEDS_MAX, SEEDS_AT_ONCE):
        code, _, _ = call(program, "run", str(scenario), "--seeds", f"{first}..{first + SEEDS_AT_ONCE - 1}", "--out",
                          directory)
        if code == 1:
            found = sorted(pathlib.Path(directory).glob(f"{scenario.stem}-seed-*.run"),
                           key=lambda path: int(path.stem.rsplit("-", 1)[1]))
            return found[0]
    return None


def size_text(size):
    return f"{size['faults'] + size['orders']} / {size['clients']} / {size['operations']} / {size['machines']}"


def row_of(program, scenario, directory, failures):
    bug = scenario.stem
    recording = first_violated(program, scenario, directory)
    if recording is None:
        failures.append(f"{bug}: not found in {SEEDS_MAX} seeds")
        return None
    small = pathlib.Path(directory) / f"{bug}_small.run"
    started = time.monotonic()
    code, out, err = call(program, "shrink", str(recording), "--out", str(small), "--for", SHRINK_FOR, "--json")
    seconds = time.monotonic() - started
    if code != 0:
        failures.append(f"{bug}: shrink ends with {code}: {out}{err[-500:]}")
        return None
    shrunk = json.loads(out)
    text = small.with_suffix(".textproto")
    code, out, _ = call(program, "run", str(text), "--json", "--out", str(pathlib.Path(directory) / "again.run"))
    broken = [line["name"] for line in json.loads(out)["expectations"] if not line["holds"]] if code == 1 else []
    if shrunk["expectation"] not in broken:
        failures.append(f"{bug}: the shrunk file does not fail alike by itself: {code}, {broken}")
    healthy = pathlib.Path(directory) / f"{bug}_healthy.textproto"
    healthy.write_text(re.sub(r'(?m)^planted_bug: .*\n', "", text.read_text()))
    without, _, _ = call(program, "run", str(healthy), "--out", str(pathlib.Path(directory) / "healthy.run"))
    if without != 0:
        failures.append(f"{bug}: the shrunk file fails without the bug, too ({without})")
    code, out, err = call(program, "explain", str(small), "--json")
    if code != 0:
        failures.append(f"{bug}: explain ends with {code}: {err[-500:]}")
        return None
    why = json.loads(out)
    print(f"| {bug} | {recording.stem.rsplit('-', 1)[1]} | {shrunk['expectation']}: {shrunk['kind']} | "
          f"{size_text(shrunk['before'])} | {size_text(shrunk['after'])} | "
          f"{sum(cause['necessary'] for cause in why['causes'])} of {len(why['causes'])} | {len(why['biography'])} | "
          f"{shrunk['runs']} | {seconds:.0f} s | {'holds' if without == 0 else 'FAILS'} |", flush=True)
    return shrunk["after"]


def main():
    program, scenarios = sys.argv[1], pathlib.Path(sys.argv[2])
    bugs = sys.argv[3:] or BUGS
    failures, sizes = [], []
    print("| bug | seed | violates | before: faults / clients / operations / machines | after | necessary | lines of life | "
          "runs | time | bug off |\n|---|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        for bug in bugs:
            size = row_of(program, scenarios / "planted" / f"{bug}.textproto", directory, failures)
            if size is not None:
                sizes.append(size)
    for what, of, bar in (("faults", lambda s: s["faults"] + s["orders"], FAULTS), ("clients", lambda s: s["clients"], CLIENTS),
                          ("operations", lambda s: s["operations"], OPERATIONS)):
        if sizes and (median := statistics.median(map(of, sizes))) > bar:
            failures.append(f"{median} {what} in the median, more than {bar}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
