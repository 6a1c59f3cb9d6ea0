#!/usr/bin/env python3
"""Plays the scenarios of scenarios/papers/ and prints what docs/papers.md shows: published and measured, pooled over seeds.

  lab/papers_table.py PROGRAM SEEDS [SCENARIO…]     lab/papers_table.py build/release/cli/ringside 1..20 pbs_wan
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenarios", "papers")
POOLED = re.compile(r"^(?P<name>.*), \d+ seeds together$")
DETAIL = re.compile(r"^(?P<measured>.*?)(?: (?:from|of) (?P<samples>[\d,]+) \w+)? \((?:published|exactly) (?P<published>.*)\)$")


def play(program, path, seeds, directory):
    run = subprocess.run([program, "run", path, "--seeds", seeds, "--out", directory, "--json"], stdout=subprocess.PIPE,
                         check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"{path}: exit code {run.returncode}")
    return json.loads(run.stdout)


def main():
    program, seeds, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    paths = [path for path in sorted(glob.glob(os.path.join(LIBRARY, "*.textproto")))
             if not only or os.path.splitext(os.path.basename(path))[0] in only]
    print("| scenario | | published | measured | samples | seeds that hold |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        for path in paths:
            name = os.path.splitext(os.path.basename(path))[0]
            result = play(program, path, seeds, directory)
            holding = {line["name"]: line["detail"] for line in result["expectations"]}
            for line in result["expectations"]:
                pooled = POOLED.match(line["name"])
                if not pooled:
                    continue
                detail = DETAIL.match(line["detail"])
                published, measured, samples = (("", line["detail"], "") if not detail else
                                                (detail["published"], detail["measured"], detail["samples"] or ""))
                held = re.sub(r" seeds?$", "", holding.get(pooled["name"], ""))
                print(f"| `{name}` | {pooled['name']} | {published} | {measured}{'' if line['holds'] else ' **violated**'} "
                      f"| {samples} | {held} |", flush=True)


if __name__ == "__main__":
    main()
