#!/usr/bin/env python3
"""The scripts a newcomer types: each explains itself without installing anything, and says what is wrong on stderr."""

import os
import subprocess
import unittest

import sources


def run(*command):
    return subprocess.run([os.path.join(sources.ROOT, command[0]), *command[1:]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=60)


class Scripts(unittest.TestCase):
    def test_each_explains_itself(self):
        for script in ["setup", "test", "bench", "gate"]:
            with self.subTest(script=script):
                ran = run(f"script/{script}", "--help")
                self.assertEqual(0, ran.returncode)
                self.assertIn(f"script/{script}", ran.stdout + ran.stderr)

    def test_every_script_and_ci_can_be_executed(self):
        for script in ["script/setup", "script/run", "script/ringside", "script/test", "script/bench", "script/gate",
                       ".ci/run"]:
            with self.subTest(script=script):
                self.assertTrue(os.access(os.path.join(sources.ROOT, script), os.X_OK))

    def test_a_bench_that_is_not_there_names_those_that_are(self):
        ran = run("script/bench", "nothing")
        self.assertEqual((2, ""), (ran.returncode, ran.stdout))
        self.assertIn("scheduler, world", ran.stderr)

    def test_setup_refuses_what_it_does_not_know(self):
        ran = run("script/setup", "everything")
        self.assertEqual((2, ""), (ran.returncode, ran.stdout))


if __name__ == "__main__":
    unittest.main()
