#!/usr/bin/env python3
"""A real cluster under a running workload: five processes; one is added, one leaves, one is killed and comes back. No
acknowledged write is lost. Usage: cluster_test.py RINGSIDE [TEST...]"""

import json
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest

import serve_test
from serve_test import kv, verb

WRITERS = 3
KEYS = 40  # of each writer
DEADLINE = 60  # seconds that a change of the ring may take


class Writer(threading.Thread):
    """Puts growing numbers under its keys, each on top of the last, and remembers what it was told is done."""

    def __init__(self, number, addresses):
        super().__init__()
        self.number, self.addresses = number, addresses
        self.stopping = threading.Event()
        self.done, self.unknown = {}, {}  # key -> the last number acknowledged; numbers that may or may not be there
        self.context = {}
        self.writes = 0

    def run(self):
        count = 0
        while not self.stopping.is_set():
            count += 1
            key = f"w{self.number}-{count % KEYS}"
            at = self.addresses[count % len(self.addresses)]
            more = ["--context", self.context[key]] if key in self.context else []
            code, out, _ = kv("put", key, str(count), "--at", at, "--json", "--timeout-ms", "2000", *more)
            if code == 0:
                self.done[key] = count
                self.context[key] = json.loads(out)["context"]
                self.writes += 1
            else:
                self.unknown.setdefault(key, set()).add(count)


class ClusterTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ringside-cluster-")
        self.servers = {}
        self.writers = []

    def tearDown(self):
        for writer in self.writers:
            writer.stopping.set()
            writer.join()
        for server in self.servers.values():
            if server.process.poll() is None or not server.process.stdout.closed:
                server.kill()
        shutil.rmtree(self.directory)

    def start(self, node, *join, listen="127.0.0.1:0"):
        more = [word for address in join for word in ("--join", address)]
        server = serve_test.Server("--nodes", "5", "--node-id", str(node), "--listen", listen, "--data",
                                   self.directory, *more)
        self.servers[node] = server
        self.assertTrue(server.addresses, lambda: server.kill() and server.errors)
        return server.addresses[0]

    def eventually(self, true, what):
        end = time.monotonic() + DEADLINE
        while not true():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.2)

    def sections(self, at, node=None):
        code, out, _ = verb("status", "--at", at, "--json")
        if code != 0:
            return {}
        for one in json.loads(out)["nodes"]:
            if node is None or one.get("node", one.get("id")) == node:
                return one.get("sections", {})
        return {}

    def rests(self, at, members):
        """The ring has so many members, and nothing is on its way."""
        sections = self.sections(at)
        return (sections.get("ring", {}).get("members") == str(members)
                and not any(name.startswith("change/") for name in sections))

    def test_five_processes_lose_nothing_while_one_comes_one_goes_and_one_dies(self):
        first = self.start(1)
        addresses = {1: first}
        for node in range(2, 6):
            addresses[node] = self.start(node, first)
        self.eventually(lambda: kv("put", "a", "1", "--at", first, "--timeout-ms", "1000")[0] == 0, "no quorum")
        self.writers = [Writer(n, [addresses[1], addresses[2], addresses[3]]) for n in range(WRITERS)]
        for writer in self.writers:
            writer.start()
        time.sleep(1)

        addresses[6] = self.start(6, first)
        self.eventually(lambda: self.rests(first, 6) and self.rests(addresses[6], 6), "node 6 does not join")
        status = self.sections(first)
        self.assertEqual(status["member/6"]["seat"], "member")

        self.eventually(lambda: self.rests(addresses[2], 6), "node 2 does not hear of node 6")
        code, out, err = verb("admin", "leave", "4", "--at", addresses[2])
        self.assertEqual(code, 0, err)
        self.eventually(lambda: self.rests(first, 5), "node 4 does not leave")

        self.servers[5].kill(signal.SIGKILL)
        time.sleep(2)
        self.start(5, first, listen=addresses[5])
        time.sleep(2)
        for writer in self.writers:
            writer.stopping.set()
            writer.join()

        written = sum(writer.writes for writer in self.writers)
        self.assertGreater(written, 100)
        for writer in self.writers:
            for key, number in writer.done.items():
                code, out, err = kv("get", key, "--at", first, "--json", "--timeout-ms", "5000")
                self.assertEqual(code, 0, err)
                found = {int(sibling["value"]) for sibling in json.loads(out)["siblings"]}
                # A put that was not acknowledged may stand in its place: it was made on top of it.
                later = {n for n in writer.unknown.get(key, ()) if n > number}
                self.assertTrue(number in found or found & later, f"{key}: {number} is lost, there is {found}")
        self.eventually(lambda: int(self.sections(first)["hints"]["waiting"]) == 0, "hints are not delivered")
        print(f"{written} writes acknowledged, none lost", file=sys.stderr)


if __name__ == "__main__":
    serve_test.RINGSIDE = sys.argv.pop(1)
    unittest.main(verbosity=2)
