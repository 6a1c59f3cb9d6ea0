#!/usr/bin/env python3
"""planted_hunt_test.py PROGRAM SCENARIOS [--table] [--unguided]: a hunt must find each planted bug, and nothing where none is
on. Of each bug the hunt is stopped soon after its first find. --table prints the table of docs/hunting.md, for which each bug is
hunted under several seeds of the hunt."""
import json
import pathlib
import subprocess
import sys
import tempfile

SEEDS_MAX = 2000
STEP = 64  # seeds between two looks: a round of the hunt
SILENT = ("failures/registers_swarm", 512), ("dynamo/swarm_dynamo", 64), ("dynamo/swarm_dynamo_ring", 16)


def hunt(program, arguments, directory):
    """What it says when it has found something or played SEEDS_MAX seeds."""
    seeds = STEP
    done = play(program, arguments + ["--seeds", str(seeds), "--out", directory])
    while done["failing"] == 0 and seeds < SEEDS_MAX:
        seeds = min(2 * seeds, SEEDS_MAX)
        done = play(program, ["--resume", directory, "--seeds", str(seeds)])
    return done


def play(program, arguments):
    run = subprocess.run([program, "hunt", *arguments, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"hunt {' '.join(arguments)} ended with code {run.returncode}")
    done = json.loads(run.stdout)
    if run.returncode != (1 if done["failing"] else 0):
        sys.exit(f"hunt {' '.join(arguments)}: code {run.returncode} with {done['failing']} failures")
    return done


def first_of(done):
    """The number of the first failing attempt, from 1, and by what it was seen."""
    found = [(group["first"][0]["number"] + 1, group["expectation"], group["anomaly"]) for group in done["failures"]]
    return min(found) if found else (None, "", "")


def find_bugs(program, scenarios, extra, hunt_seeds, failures):
    for path in sorted((scenarios / "planted").glob("*.textproto")):
        firsts, seen, cpu = [], "", 0.0
        for seed in hunt_seeds:
            with tempfile.TemporaryDirectory() as directory:
                done = hunt(program, [str(path), "--seed", str(seed), *extra], directory + "/hunt")
            first, expectation, _ = first_of(done)
            if first is None or first > SEEDS_MAX:
                failures.append(f"{path.stem}: a hunt of seed {seed} missed it in {SEEDS_MAX} seeds")
                first = SEEDS_MAX
            firsts.append(first)
            seen = seen or expectation
            cpu += done["cpu_seconds"] * first / max(done["played"], 1)
        firsts.sort()
        median = firsts[len(firsts) // 2]
        print(f"| `{path.stem}` | {seen} | {median} | {firsts[-1]} | {cpu / len(firsts):.2f} |", flush=True)


def main():
    program, scenarios = sys.argv[1], pathlib.Path(sys.argv[2])
    table = "--table" in sys.argv[3:]
    extra = ["--unguided"] if "--unguided" in sys.argv[3:] else []
    failures = []
    print("| bug | seen by | seeds to find, median | worst | CPU seconds, mean |\n|---|---|---|---|---|")
    find_bugs(program, scenarios, extra, range(1, 10) if table else [1], failures)
    if not table:
        for name, seeds in SILENT:
            with tempfile.TemporaryDirectory() as directory:
                done = play(program, [str(scenarios / f"{name}.textproto"), "--seeds", str(seeds), "--out", directory + "/hunt"])
            print(f"{name}: {done['failing']} of {done['played']} seeds fail, {done['cpu_seconds']:.1f} CPU seconds")
            if done["failing"]:
                failures.append(f"{name} with no bug on: {done['failures']}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
