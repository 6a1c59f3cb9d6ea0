#!/usr/bin/env python3
"""gate_planted_test.py PROGRAM: what gate_planted must show in the build that it comes from. Under AddressSanitizer the use
of a dead frame ends the program; elsewhere it replays perfectly until the frame pool is off and freed memory is
overwritten, which is why the gate does that.
"""

import os
import signal
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
SANITIZED = b"__asan_init" in open(PROGRAM, "rb").read()
TURNS = 8
# Freed memory is overwritten, without the cache that would keep it as it was.
SHAKEN = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def play(*arguments, **variables):
    return subprocess.run([PROGRAM, *arguments], env={**os.environ, **variables}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def lines(*arguments, **variables):
    """The distinct outputs of a few runs, each of which must end well."""
    found = set()
    for _ in range(TURNS):
        run = play(*arguments, **variables)
        if run.returncode != 0:
            raise AssertionError(f"status {run.returncode}: {run.stderr}")
        found.add(run.stdout)
    return found


class Gate(unittest.TestCase):
    def test_without_a_bug_every_run_is_alike(self):
        plain = lines()
        self.assertEqual(1, len(plain))
        self.assertEqual(plain, lines("--no-frame-pool", **SHAKEN))

    def test_a_real_clock_changes_the_fingerprint(self):
        self.assertGreater(len(lines("node_reads_a_real_clock")), 1)

    def test_an_order_by_pointer_changes_the_fingerprint(self):
        if SANITIZED:  # its allocator hands out addresses in one order; the plain build shows this
            return
        self.assertGreater(len(lines("node_orders_by_pointer")), 1)

    def test_a_use_of_a_dead_frame_shows(self):
        if SANITIZED:
            run = play("node_uses_a_freed_frame")
            self.assertNotEqual(0, run.returncode)
            self.assertIn("heap-use-after-free", run.stderr)
        else:
            plain = lines("node_uses_a_freed_frame")
            self.assertEqual(1, len(plain), "one build alone would have replayed it")
            self.assertNotEqual(plain, lines("node_uses_a_freed_frame", "--no-frame-pool", **SHAKEN))

    def test_the_trip_wire_ends_a_read_of_a_real_clock(self):
        if SANITIZED:  # the sanitizer's own run time may read clocks; the plain build shows this
            return
        run = play("--trip-wire", "node_reads_a_real_clock")
        self.assertEqual(-signal.SIGABRT, run.returncode, run.stderr)
        self.assertIn("clock", run.stderr)
        self.assertEqual(lines(), lines("--trip-wire"))


if __name__ == "__main__":
    unittest.main()
