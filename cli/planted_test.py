#!/usr/bin/env python3
"""planted_test.py PROGRAM SCENARIOS [--bugs NAME,…] [--product PROGRAM] [--table]: each planted bug is found by a hunt over its
unmodified swarm, the failure shrunk and explained; the shrunk file fails alike by itself, from an empty directory, and holds once
the bug is out. Without --bugs: every scenario under planted/, and the medians are held to their bars. --product names the program
of the product build, which then plays the shrunk file without the bug; else PROGRAM does. --table prints the table of
docs/shrinking.md instead of a line a bug. --for 10min gives shrink and explain more time than 2 minutes each, for a machine that
others keep busy: what is held to a bar is their CPU time.

planted_test.py PROGRAM SCENARIOS --silent N: with all bugs off, N short seeds, of which none fails.

planted_test.py PROGRAM SCENARIOS --hunts N: prints the table of docs/hunting.md, for which each bug is hunted under N seeds of
the hunt."""
import argparse
import dataclasses
import json
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SEEDS_MAX = 2000
FIRST_LOOK = 4  # seeds; each look is twice as far
SECONDS_MAX = 120  # of each verb
FAULTS, CLIENTS, OPERATIONS = 2, 3, 10  # the bars, for the median
PER_REPLICA_SEEDS, END_TO_END_SEEDS = 5, 200
SILENT = "failures/registers_swarm.textproto"
SILENT_CPU_MS_MAX = 50
CRASH, REPLAY = "crash", "deterministic"


class Failed(Exception):
    pass


def call(program, *arguments, codes=(0,), where=None):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=where,
                          check=False)
    if done.returncode not in codes:
        raise Failed(f"{arguments[0]} ends with {done.returncode} instead of {codes}: {(done.stdout + done.stderr)[-600:]}")
    return done.returncode, done.stdout


class Meter:
    """Seconds and CPU seconds of what is run within."""

    @staticmethod
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def __enter__(self):
        self.wall, self.used = time.monotonic(), self.cpu()
        return self

    def __exit__(self, *_):
        self.wall, self.used = time.monotonic() - self.wall, self.cpu() - self.used


@dataclasses.dataclass
class Row:
    bug: str
    seeds: int  # to find it
    shrunk: dict
    why: dict
    meters: list  # hunt, shrink, explain

    def size(self, when):
        size = self.shrunk[when]
        return " / ".join(str(size[part]) for part in ("faults", "clients", "operations", "keys", "machines"))

    def necessary(self):
        return f"{sum(cause['necessary'] for cause in self.why['causes'])} of {len(self.why['causes'])}"

    def violates(self):
        return f"{self.shrunk['expectation']}: {self.shrunk['kind']}"


def swarm_of(text):
    """The scenario that a bug's own says it is, unchanged."""
    found = re.match(r"# (\S+)\.textproto, unchanged", text)
    return found.group(1) if found else None


def check_unchanged(scenario, scenarios):
    def lines(text):
        return [line for line in text.splitlines() if not line.startswith(("#", "name:", "about:", "planted_bug:"))]
    swarm = swarm_of(scenario.read_text())
    if swarm and lines(scenario.read_text()) != lines((scenarios / f"{swarm}.textproto").read_text()):
        raise Failed(f"is not {swarm} with the bug on")


def shows_something(group, bundle):
    """Whether a failure is more than too little evidence."""
    if group["expectation"] in ("crashed", "deterministic"):
        return True
    verdict = json.loads((bundle / "verdict.json").read_text())
    return any(not line["holds"] and "nothing was tested" not in line["detail"] for line in verdict["expectations"])


def found_by(done, directory):
    """The first attempt that shows something, from 1, and its recording."""
    finds = sorted((found["number"] + 1, found["bundle"], index)
                   for index, group in enumerate(done["failures"]) for found in group["first"])
    for number, name, index in finds:
        bundle = directory / name
        if bundle.is_dir() and shows_something(done["failures"][index], bundle):
            return number, bundle / f"{bundle.name}.run"
    return None


def hunt(program, scenario, directory, seed=1):
    seeds = FIRST_LOOK
    arguments = [scenario, "--seed", seed, "--out", directory]
    while True:
        _, out = call(program, "hunt", *arguments, "--seeds", seeds, "--json", codes=(0, 1))
        if found := found_by(json.loads(out), directory):
            return found
        if seeds >= SEEDS_MAX:
            raise Failed(f"not found within {SEEDS_MAX} seeds")
        seeds = min(2 * seeds, SEEDS_MAX)
        arguments = ["--resume", directory]


def fails_alone(program, text, shrunk, directory):
    """From the file alone, in an empty directory."""
    directory.mkdir()
    shutil.copy(text, directory / "alone.textproto")
    if shrunk["expectation"] == CRASH:
        call(program, "run", "alone.textproto", "--out", "alone.run", codes=(4,), where=directory)
    elif shrunk["expectation"] == REPLAY:
        call(program, "run", "alone.textproto", "--out", "alone.run", where=directory)
        call(program, "replay", "--shaken", "alone.run", codes=(3, 4), where=directory)
    else:
        _, out = call(program, "run", "alone.textproto", "--out", "alone.run", "--json", codes=(1,), where=directory)
        broken = [line["name"].split(" ")[0] for line in json.loads(out)["expectations"] if not line["holds"]]
        if shrunk["expectation"] not in broken:
            raise Failed(f"the shrunk file by itself violates {broken} instead of {shrunk['expectation']}")


def holds_without(program, text, shrunk, directory):
    healthy = directory / "healthy.textproto"
    healthy.write_text(re.sub(r"(?m)^planted_bug: .*\n", "", text.read_text()))
    # What crashed at once never had to test anything.
    codes = (0, 1) if shrunk["expectation"] == CRASH else (0,)
    call(program, "run", healthy, "--out", directory / "healthy.run", codes=codes)
    if shrunk["expectation"] == REPLAY:
        call(program, "replay", "--shaken", directory / "healthy.run")


def tells(why):
    """An explanation says which event, or what became of the write, unless the verdict names none."""
    if why["expectation"] == CRASH:
        return why["last_moments"]["says"] != ""
    if why["expectation"] == REPLAY:
        return why["parting"]["found"] and why["parting"]["place"] != ""
    return len(why["biography"]) > 0 or why["key"] == ""


def study(program, product, scenario, scenarios, directory, seconds_max):
    check_unchanged(scenario, scenarios)
    meters = [Meter(), Meter(), Meter()]
    with meters[0]:
        seeds, recording = hunt(program, scenario, directory / "hunt")
    small = directory / f"{scenario.stem}_small.run"
    with meters[1]:
        _, out = call(program, "shrink", recording, "--out", small, "--for", seconds_max, "--json")
    shrunk = json.loads(out)
    with meters[2]:
        _, out = call(program, "explain", small, "--for", seconds_max, "--json")
    row = Row(scenario.stem, seeds, shrunk, json.loads(out), meters)
    if not tells(row.why):
        raise Failed("explain tells nothing")
    text = small.with_suffix(".textproto")
    fails_alone(program, text, shrunk, directory / "alone")
    holds_without(product, text, shrunk, directory)
    return row


def print_row(row, table):
    seconds = [f"{meter.used:.1f}" for meter in row.meters]
    if table:
        print(f"| `{row.bug}` | {row.seeds} | {row.violates()} | {row.size('before')} | {row.size('after')} | {row.necessary()} | "
              f"{' / '.join(seconds)} |", flush=True)
        return
    print(f"{row.bug}: seed {row.seeds}, {row.violates()}, {row.size('before')} becomes {row.size('after')}, "
          f"necessary {row.necessary()}; hunt, shrink, explain: {', '.join(seconds)} CPU seconds", flush=True)


def medians(rows, failures):
    counted = [row.shrunk["after"] for row in rows]
    for what, of, bar in (("faults and orders", lambda size: size["faults"] + size["orders"], FAULTS),
                          ("clients", lambda size: size["clients"], CLIENTS),
                          ("operations", lambda size: size["operations"], OPERATIONS)):
        median = statistics.median(map(of, counted))
        print(f"median of {what}: {median:g}, at most {bar}")
        if median > bar:
            failures.append(f"{median:g} {what} in the median, more than {bar}")


def bugs_of(arguments):
    planted = arguments.scenarios / "planted"
    if arguments.bugs:
        return [planted / f"{name}.textproto" for name in arguments.bugs.split(",")]
    return sorted(planted.glob("*.textproto"))


def hunt_bugs(arguments, failures):
    rows = []
    if arguments.table:
        print("| planted bug | seeds to find | violates | before | after | necessary | CPU seconds |\n|---|---|---|---|---|---|---|")
    for scenario in bugs_of(arguments):
        name = scenario.stem
        with tempfile.TemporaryDirectory() as directory:
            try:
                row = study(arguments.program, arguments.product or arguments.program, scenario, arguments.scenarios,
                            pathlib.Path(directory), arguments.seconds_max)
            except Failed as failed:
                failures.append(f"{name}: {failed}")
                print(f"{name}: FAILED", flush=True)
                continue
        print_row(row, arguments.table)
        rows.append(row)
        for verb, meter in zip(("hunt", "shrink", "explain"), row.meters):
            if meter.used > 2 * SECONDS_MAX:  # of two cores
                failures.append(f"{name}: {verb} takes {meter.used:.0f} CPU seconds")
    if rows and not arguments.bugs:
        medians(rows, failures)
    if not arguments.bugs and not arguments.table:
        both_oracles(arguments, failures)


def hunt_often(arguments, failures):
    print("| planted bug | seeds to find, median | worst | CPU seconds, mean |\n|---|---|---|---|")
    for scenario in bugs_of(arguments):
        firsts = []
        with Meter() as meter:
            for seed in range(1, arguments.hunts + 1):
                with tempfile.TemporaryDirectory() as directory:
                    try:
                        firsts.append(hunt(arguments.program, scenario, pathlib.Path(directory) / "hunt", seed)[0])
                    except Failed as failed:
                        failures.append(f"{scenario.stem}, hunt of seed {seed}: {failed}")
        if firsts:
            print(f"| `{scenario.stem}` | {statistics.median(firsts):g} | {max(firsts)} | {meter.used / arguments.hunts:.1f} |",
                  flush=True)


def both_oracles(arguments, failures):
    """What a log that loses costs is seen on the disks of a replica at once, and at the clients' end in time."""
    for name in ("log_acknowledges_before_sync", "log_never_syncs"):
        with tempfile.TemporaryDirectory() as directory:
            _, out = call(arguments.program, "run", arguments.scenarios / "planted" / f"{name}.textproto", "--seeds",
                          END_TO_END_SEEDS, "--json", "--out", directory, codes=(1,))
        firsts = {}
        for run in json.loads(out)["runs"]:
            for line in run.get("expectations", []):
                if not line["holds"] and "nothing was tested" not in line["detail"]:
                    firsts.setdefault(line["name"], run["seed"])
        replica, end_to_end = firsts.get("replicas_keep_acknowledged"), firsts.get("acknowledged_writes")
        print(f"{name}: seen on disks at seed {replica}, by clients at seed {end_to_end}")
        if replica is None or replica > PER_REPLICA_SEEDS:
            failures.append(f"{name}: the per-replica oracle missed it in {PER_REPLICA_SEEDS} seeds")
        if end_to_end is None:
            failures.append(f"{name}: the end-to-end oracle missed it in {END_TO_END_SEEDS} seeds")


def stay_silent(arguments, failures):
    played, failing = 0, 0
    with Meter() as meter:
        while played < arguments.silent:
            last = min(played + SEEDS_MAX, arguments.silent)
            with tempfile.TemporaryDirectory() as directory:
                _, out = call(arguments.program, "run", arguments.scenarios / SILENT, "--seeds", f"{played + 1}..{last}", "--json",
                              "--out", directory, "--jobs", arguments.jobs, codes=(0, 1, 4))
            verdict = json.loads(out)
            failing += verdict["violated"] + verdict["crashed"]
            played = last
            print(f"{SILENT}: {failing} of {played} seeds fail", flush=True)
    each = 1000 * meter.used / played
    print(f"{each:.1f} ms of CPU a seed, at most {SILENT_CPU_MS_MAX}")
    if failing:
        failures.append(f"{SILENT} with no bug on: {failing} of {played} seeds fail")
    if each > SILENT_CPU_MS_MAX:
        failures.append(f"a seed costs {each:.1f} ms, more than {SILENT_CPU_MS_MAX}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("scenarios", type=pathlib.Path)
    parser.add_argument("--bugs")
    parser.add_argument("--product")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--silent", type=int)
    parser.add_argument("--hunts", type=int)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--for", dest="seconds_max", default=f"{SECONDS_MAX}s")
    arguments = parser.parse_args()
    arguments.program = str(pathlib.Path(arguments.program).resolve())
    arguments.scenarios = arguments.scenarios.resolve()
    failures = []
    with Meter() as all_of_it:
        (stay_silent if arguments.silent else hunt_often if arguments.hunts else hunt_bugs)(arguments, failures)
    print(f"in all {all_of_it.used:.0f} CPU seconds")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
