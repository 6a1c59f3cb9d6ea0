#!/usr/bin/env python3
"""planted_test.py PROGRAM SCENARIOS: the planted build must catch each planted bug of the log by an unmodified swarm: the
per-replica oracle within 5 seeds, the end-to-end oracle within 200; and with none on it must be silent."""
import json
import pathlib
import subprocess
import sys
import tempfile

PER_REPLICA_SEEDS = 5
END_TO_END_SEEDS = 200
SILENT_SEEDS = 50


def play(program, scenario, seeds, directory):
    done = subprocess.run(
        [program, "run", str(scenario), "--seeds", str(seeds), "--json", "--out", directory],
        stdout=subprocess.PIPE, text=True)
    return done.returncode, json.loads(done.stdout)


def first_seed(verdict, name, says=""):
    for run in verdict["runs"]:
        for line in run.get("expectations", []):
            if line["name"] == name and not line["holds"] and says in line["detail"]:
                return run["seed"]
    return None


def main():
    program, scenarios = sys.argv[1], pathlib.Path(sys.argv[2])
    failures = []
    with tempfile.TemporaryDirectory() as directory:
        for name in ("log_acknowledges_before_sync", "log_never_syncs"):
            code, verdict = play(program, scenarios / "planted" / f"{name}.textproto", END_TO_END_SEEDS, directory)
            replica = first_seed(verdict, "replicas_keep_acknowledged")
            end_to_end = first_seed(verdict, "acknowledged_writes", " lost")
            print(f"{name}: per replica at seed {replica}, end to end at seed {end_to_end}")
            if code != 1:
                failures.append(f"{name}: exit code {code}")
            if replica is None or replica > PER_REPLICA_SEEDS:
                failures.append(f"{name}: the per-replica oracle missed it in {PER_REPLICA_SEEDS} seeds")
            if end_to_end is None:
                failures.append(f"{name}: the end-to-end oracle missed it in {END_TO_END_SEEDS} seeds")
        code, verdict = play(program, scenarios / "failures/registers_swarm.textproto", SILENT_SEEDS, directory)
        if code != 0 or verdict["verdict"] != "holds":
            failures.append(f"registers_swarm with no bug on: exit code {code}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
