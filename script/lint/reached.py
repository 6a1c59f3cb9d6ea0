#!/usr/bin/env python3
"""Plays scenarios and tells which declared probes they reach: reached.py PROGRAM SEEDS SCENARIO… (SEEDS as run --seeds takes
them). Prints a table; fails on a declared probe that nothing reached, unless it is excused below with a reason."""

import collections
import json
import subprocess
import sys

import probes
import sources

EXCUSED = {
    "dynamo.bad_object": "a frame's checksum catches it before",
    "dynamo.bad_stored_object": "the checksums of log and table catch it before",
    "merge.table_not_removed": "storage/engine_test.cc reaches it",
    "node.bad_address": "only the real network refuses an address",
    "node.members_not_kept": "a disk would have to be full before the first start",
    "table.not_discarded": "storage/engine_test.cc reaches it",
    "wal.archive_failed": "storage/log_stream_test.cc reaches it",
    "wal.leftover_cut": "takes groups beyond a hole that nothing proves; storage/log_recovery_test.cc reaches it",
    "wal.not_opened": "one seed in a thousand of the swarms: a sealed group in another's place; storage/log_recovery_test.cc reaches it",
    "wal.segment_twice": "storage/log_recovery_test.cc reaches it",
    "wal.stopped_at_hole": "the log has one group in flight, so that no newer one is there without its durable mark",
    "wal.stream_gap": "no scenario reads the change stream",
}


def play(program, seeds, scenario, out):
    """Times that each probe was reached, and in how many runs."""
    run = subprocess.run([program, "run", scenario, "--seeds", seeds, "--json", "--out", out],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"reached: {scenario} ended with code {run.returncode}")
    reached = collections.Counter()
    for one in json.loads(run.stdout)["runs"]:
        metrics = one["metrics"]
        pairs = metrics.items() if isinstance(metrics, dict) else ((m["name"], m["value"]) for m in metrics)
        reached.update({name.removeprefix("probe "): int(value) for name, value in pairs if name.startswith("probe ")})
    return reached


def main(program, seeds, scenarios, out="reached"):
    declared = sorted(probes.declared()[0])
    times, where = collections.Counter(), collections.defaultdict(list)
    for scenario in scenarios:
        for probe, count in play(program, seeds, scenario, out).items():
            times[probe] += count
            where[probe].append(scenario.rsplit("/", 1)[-1].removesuffix(".textproto"))
    missed = []
    for probe in declared:
        if times[probe]:
            print(f"{probe:32} {times[probe]:>10,}  in {len(where[probe])} scenarios, the first {where[probe][0]}")
        elif probe in EXCUSED:
            print(f"{probe:32} {'excused':>10}  {EXCUSED[probe]}")
        else:
            print(f"{probe:32} {'NEVER':>10}")
            missed.append(probe)
    stale = [probe for probe in EXCUSED if times[probe] or probe not in declared]
    for probe in stale:
        print(f"{probe}: is excused and need not be")
    print(f"reached: {sum(1 for p in declared if times[p])} of {len(declared)} declared probes, "
          f"{len(EXCUSED)} excused, {len(missed)} missed")
    return 1 if missed or stale else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
