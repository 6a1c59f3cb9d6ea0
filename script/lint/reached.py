#!/usr/bin/env python3
"""Plays scenarios and tells which declared probes they reach: reached.py PROGRAM SEEDS[,SEEDS…] SCENARIO… (SEEDS as
run --seeds takes them). Every scenario is played with the first seeds; with the others only as long as a probe is missing, swarms first.
Prints a table; fails on a declared probe that nothing reached, unless it is excused below with a reason."""

import collections
import json
import subprocess
import sys

import probes
import sources

EXCUSED = {
    "dynamo.bad_object": "a frame's checksum catches it before",
    "dynamo.bad_stored_object": "the checksums of log and table catch it before",
    "dynamo.buffered_elsewhere": "the ring would have to move between a buffered put and its write; protocols/replication/dynamo/buffered.cc says when",
    "dynamo.object_of_another_scheme": "a cluster has one scheme of versions; protocols/replication/dynamo/replica_test.cc reaches it",
    "dynamo.put_came_too_late": "protocols/replication/dynamo/last_writer_test.cc reaches it; last writer wins is for violations/",
    "dynamo.write_buffer_full": "protocols/replication/dynamo/buffered_test.cc reaches it",
    "gossip.refused": "a frame's checksum catches it before; protocols/membership/gossip_test.cc reaches it",
    "hints.bad_object": "a frame's checksum catches it before",
    "hints.unreadable": "a table of hints would have to rot before they are delivered, which few seeds do",
    "membership.own_life_from_elsewhere": "two nodes would have to be started with one number",
    "node.bad_address": "only the real network refuses an address",
    "partitions.cut": "only strategy 1 cuts, and ring_tokens does not change its ring; protocols/replication/dynamo/takeover_test.cc reaches it",
    "partitions.hints_lost": "protocols/partitions_test.cc reaches it",
    "partitions.mark_without_tablet": "protocols/partitions_test.cc reaches it",
    "takeover.too_few_whole": "more copies damaged at once than W tolerates, which no swarm does",
    "transfer.bad_page": "a frame's checksum catches it before",
    "transfer.page_refused": "a home that loses a range while it is pulled from; protocols/replication/dynamo/takeover_test.cc moves ranges so",
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
    first = True
    for some in seeds.split(","):
        for scenario in scenarios:
            if not first and all(times[probe] or probe in EXCUSED for probe in declared):
                break
            for probe, count in play(program, some, scenario, out).items():
                times[probe] += count
                where[probe].append(scenario.rsplit("/", 1)[-1].removesuffix(".textproto"))
        first = False
        scenarios.sort(key=lambda path: "swarm" not in path)
    missed = []
    for probe in declared:
        if times[probe]:
            print(f"{probe:32} {times[probe]:>10,}  in {len(set(where[probe]))} scenarios, the first {where[probe][0]}")
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
