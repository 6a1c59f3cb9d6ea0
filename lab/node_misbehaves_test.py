#!/usr/bin/env python3
"""node_misbehaves_test.py RINGSIDE GATE SCENARIOS: full nodes of the planted build, with one planted nondeterminism at a time.
The trip-wire ends a real clock, a replay tells an order by pointer from the run, and playing with the frame pool off and
freed memory overwritten, as the gate does, tells a use of a dead frame.
"""

import os
import subprocess
import sys
import tempfile
import unittest

RINGSIDE, GATE, SCENARIOS = sys.argv[1:4]
del sys.argv[1:4]
SHAKEN = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def scenario(name):
    return os.path.join(SCENARIOS, "planted", name + ".textproto")


def play(*command, **variables):
    return subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)


class Misbehaviour(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def run_recorded(self, name):
        recording = os.path.join(self.directory.name, name + ".run")
        return recording, play(RINGSIDE, "run", scenario(name), "--seed", "1", "--out", recording)

    def lines(self, name, *arguments, **variables):
        ran = play(GATE, *arguments, "--seeds", "1,2", scenario(name), **variables)
        self.assertEqual(0, ran.returncode, ran.stderr)
        return ran.stdout

    def test_the_trip_wire_ends_a_node_that_reads_a_real_clock(self):
        _, ran = self.run_recorded("node_reads_a_real_clock")
        self.assertEqual(4, ran.returncode, ran.stderr)
        self.assertIn("real clock", ran.stderr)

    def test_a_replay_is_not_the_run_when_a_node_orders_by_pointer(self):
        recording, ran = self.run_recorded("node_orders_by_pointer")
        self.assertEqual(0, ran.returncode, ran.stdout + ran.stderr)
        codes = [play(RINGSIDE, "replay", recording).returncode for _ in range(4)]
        self.assertIn(3, codes)
        self.assertGreater(len({self.lines("node_orders_by_pointer") for _ in range(4)}), 1)

    def test_a_dead_frame_replays_until_the_gate_shakes_it(self):
        plain = {self.lines("node_uses_a_freed_frame") for _ in range(3)}
        self.assertEqual(1, len(plain))
        self.assertNotIn(self.lines("node_uses_a_freed_frame", "--no-frame-pool", **SHAKEN), plain)


if __name__ == "__main__":
    unittest.main()
