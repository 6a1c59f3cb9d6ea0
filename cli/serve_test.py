#!/usr/bin/env python3
"""serve and kv as a user meets them: real processes, sockets and files. Usage: serve_test.py RINGSIDE [TEST...]"""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

RINGSIDE = ""
DEADLINE = 30  # seconds that anything may take; what waits, polls


class Server:
    """A `ringside serve` that is ready, or has ended without getting there."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([RINGSIDE, "serve", *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.addresses = []
        if select.select([self.process.stdout], [], [], DEADLINE)[0]:
            words = self.process.stdout.readline().split()
            if words[:1] == ["ready"]:
                self.addresses = words[1:]

    def kill(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(DEADLINE)
        self.errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def verb(*arguments):
    done = subprocess.run([RINGSIDE, *arguments], capture_output=True, text=True, timeout=DEADLINE)
    return done.returncode, done.stdout, done.stderr


def kv(*arguments):
    return verb("kv", *arguments)


class ServeTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ringside-serve-")
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            if server.process.poll() is None or not server.process.stdout.closed:
                server.kill()
        shutil.rmtree(self.directory)

    def start(self, *arguments):
        server = Server(*arguments)
        self.servers.append(server)
        self.assertTrue(server.addresses, lambda: server.kill() and server.errors)
        return server

    def start_cluster(self, *more):
        return self.start("--nodes", "3", "--port", "0", "--data", self.directory + "/c", *more)

    def refused(self, *arguments):
        """The one line with which serve refuses to start."""
        done = subprocess.run([RINGSIDE, "serve", *arguments], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def put(self, at, key, value, *more):
        code, out, err = kv("put", key, value, "--at", at, *more)
        self.assertEqual(code, 0, err)
        self.assertIn("ok", out)

    def get(self, at, key):
        code, out, err = kv("get", key, "--at", at, "--json")
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def values(self, at, key):
        return sorted(sibling["value"] for sibling in self.get(at, key)["siblings"])

    def test_what_was_acknowledged_is_there_after_kill_9(self):
        for files in ([], ["--no-io-uring"]):
            with self.subTest(files=files):
                server = self.start_cluster(*files)
                for i in range(10):
                    self.put(server.addresses[i % 3], f"key-{files}-{i}", f"value {i}")
                server.kill(signal.SIGKILL)
                server = self.start_cluster(*files)
                for i in range(10):
                    self.assertEqual(self.values(server.addresses[(i + 1) % 3], f"key-{files}-{i}"), [f"value {i}"])
                server.kill(signal.SIGKILL)

    def test_blind_writes_become_siblings_and_a_context_replaces_them(self):
        one, two, three = self.start_cluster().addresses
        self.put(one, "cart", "milk")
        self.put(two, "cart", "eggs")
        got = self.get(three, "cart")
        self.assertEqual(sorted(s["value"] for s in got["siblings"]), ["eggs", "milk"])
        self.put(two, "cart", "milk and eggs", "--context", got["context"])
        self.assertEqual(self.values(one, "cart"), ["milk and eggs"])
        context = self.get(one, "cart")["context"]
        code, out, err = kv("delete", "cart", "--at", three, "--context", context)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.values(one, "cart"), [])
        code, out, err = kv("get", "cart", "--at", one)
        self.assertEqual((code, out.splitlines()[0]), (0, "not there"))

    def test_text_output_has_one_value_a_line(self):
        at = self.start_cluster().addresses[0]
        self.put(at, "odd", "two\nlines\\")
        code, out, err = kv("get", "odd", "--at", at)
        self.assertEqual((code, out.splitlines()[0]), (0, "value: two\\x0alines\\\\"))

    def node(self, number, listen, *join):
        arguments = ["--nodes", "3", "--node-id", str(number), "--listen", listen, "--data", self.directory]
        return self.start(*arguments, *(["--join", ",".join(join)] if join else []))

    def test_nodes_in_processes_of_their_own_find_each_other_and_remember(self):
        first = self.node(1, "127.0.0.1:0")
        seed = first.addresses[0]
        second = self.node(2, "127.0.0.1:0", seed)
        third = self.node(3, "127.0.0.1:0", seed)
        at = {1: seed, 2: second.addresses[0], 3: third.addresses[0]}
        self.eventually(lambda: kv("put", "a", "1", "--at", at[2], "--timeout-ms", "1000")[0] == 0)
        self.assertEqual(self.values(at[3], "a"), ["1"])

        # One of three may go: two copies are enough, and it is caught up by what it is asked.
        second.kill(signal.SIGKILL)
        self.put(at[3], "b", "2")
        second = self.node(2, at[2], seed)
        self.eventually(lambda: self.values(at[2], "b") == ["2"])

        # The seed is gone. Two that start again know each other from before.
        for server in (first, second, third):
            server.kill(signal.SIGKILL)
        self.node(2, at[2], seed)
        self.node(3, at[3], seed)
        self.eventually(lambda: kv("put", "c", "3", "--at", at[2], "--timeout-ms", "1000")[0] == 0)
        self.assertEqual(self.values(at[3], "a"), ["1"])
        self.assertEqual(self.values(at[3], "c"), ["3"])

    def eventually(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), end, "it never happened")
            time.sleep(0.05)

    def test_a_stranger_joins_and_a_member_leaves(self):
        cluster = [self.node(1, "127.0.0.1:0")]
        seed = cluster[0].addresses[0]
        cluster += [self.node(2, "127.0.0.1:0", seed), self.node(3, "127.0.0.1:0", seed)]
        self.eventually(lambda: kv("put", "a", "1", "--at", seed, "--timeout-ms", "1000")[0] == 0)
        fourth = self.node(4, "127.0.0.1:0", seed)
        members = lambda at: self.status(at)["sections"]["ring"]["members"]
        everyone = [server.addresses[0] for server in cluster] + fourth.addresses
        self.eventually(lambda: all(members(at) == "4" and not self.changes(at) for at in everyone))

        status = self.status(seed)["sections"]
        self.assertEqual(status["member/4"]["seat"], "member")
        self.assertEqual(status["member/4"]["address"], fourth.addresses[0])
        code, out, err = verb("status", "--at", seed)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("no change of the ring is under way", out)
        self.assertEqual(len([line for line in out.splitlines() if " up" in line]), 4, out)

        code, out, err = verb("admin", "leave", "4", "--at", cluster[1].addresses[0])
        self.assertEqual((code, out, err), (0, "node 4 leaves\n", ""))
        self.eventually(lambda: all(members(at) == "3" and not self.changes(at) for at in everyone[:3]))
        code, out, err = verb("admin", "leave", "3", "--at", seed)
        self.assertEqual(code, 1)
        self.assertIn("fewer members would be left than the 3 copies of a key need", err)
        code, out, err = verb("admin", "history", "--at", cluster[2].addresses[0])
        self.assertEqual((code, err), (0, ""))
        self.assertIn("node 4  joining proposed", out)
        self.assertIn("node 4  gone done", out)

    def status(self, at):
        """What the node itself says; empty while it does not."""
        code, out, err = verb("status", "--at", at, "--json")
        self.assertEqual(code, 0, err)
        return json.loads(out)["nodes"][0]

    def changes(self, at):
        return [name for name in self.status(at)["sections"] if name.startswith("change/")]

    def test_status_and_admin_say_what_is_wrong(self):
        self.assertEqual(verb("status", "--at", "nowhere")[0], 2)
        self.assertEqual(verb("admin", "join", "--at", "127.0.0.1:1")[0], 2)
        self.assertEqual(verb("admin", "join", "0", "--at", "127.0.0.1:1")[0], 2)
        code, out, err = verb("status", "--at", "127.0.0.1:1")
        self.assertEqual((code, out, err), (1, "", "ringside status: unavailable: 127.0.0.1:1: Connection refused\n"))
        for words in (["status"], ["admin"], ["admin", "replace"]):
            code, out, err = verb(*words, "--help")
            self.assertEqual(code, 0)
            self.assertIn("--at" if words != ["admin"] else "ringside admin join 4", out)

    def test_signals_end_it_cleanly(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            server = self.start_cluster()
            self.assertEqual(server.kill(how), 0)
            self.assertEqual(server.errors, "")

    def test_a_second_server_on_the_same_directory_is_refused_and_the_first_lives(self):
        at = self.start_cluster().addresses[0]
        line = self.refused("--nodes", "3", "--port", "0", "--data", self.directory + "/c")
        self.assertEqual(line, f"ringside serve: {self.directory}/c/node-1: in use by another server")
        self.put(at, "still", "here")

    def test_a_port_in_use_is_one_clear_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            line = self.refused("--nodes", "1", "--port", str(port), "--data", self.directory + "/c")
        self.assertEqual(line, f"ringside serve: cannot listen at 127.0.0.1:{port}: Address already in use")

    def test_data_of_others_is_refused_and_left_alone(self):
        self.start_cluster().kill(signal.SIGTERM)
        line = self.refused("--nodes", "5", "--port", "0", "--data", self.directory + "/c")
        self.assertIn("node-1: holds the data of node 1 of 3", line)
        os.makedirs(self.directory + "/home/node-1")
        with open(self.directory + "/home/node-1/thesis.tex", "w") as file:
            file.write("years")
        line = self.refused("--nodes", "3", "--port", "0", "--data", self.directory + "/home")
        self.assertIn("holds files that are not Ringside's", line)
        self.assertEqual(os.listdir(self.directory + "/home/node-1"), ["thesis.tex"])
        line = self.refused("--nodes", "3", "--port", "0", "--data", self.directory + "/home/node-1/thesis.tex")
        self.assertIn("Not a directory", line)

    def test_wrong_options_say_what_would_be_right(self):
        data = ["--data", self.directory + "/c"]
        self.assertIn("--n (copies of a key) must be from 1 to --nodes", self.refused("--nodes", "2", "--n", "3", *data))
        self.assertIn("--w", self.refused("--w", "4", *data))
        self.assertIn("--node-id needs --listen", self.refused("--node-id", "1", *data))
        self.assertIn("--node-id must be from 1 to --nodes",
                      self.refused("--node-id", "4", "--listen", "127.0.0.1:0", *data))
        self.assertIn("is not HOST:PORT", self.refused("--node-id", "1", "--listen", "here", *data))
        self.assertIn("--port leaves no room", self.refused("--port", "65534", *data))

    def test_a_node_whose_data_is_damaged_gives_up_with_exit_code_4(self):
        server = self.start_cluster()
        self.put(server.addresses[0], "a", "1")
        server.kill(signal.SIGKILL)
        name = self.directory + "/c/node-2/files/data/manifest"
        with open(name, "r+b") as file:
            file.write(b"\xff" * os.path.getsize(name))
        server = Server("--nodes", "3", "--port", "0", "--data", self.directory + "/c")
        self.servers.append(server)
        self.assertEqual(server.addresses, [])
        self.assertEqual(server.kill(), 4)
        self.assertIn("ringside serve: node 2 gave up: corrupt", server.errors)

    def test_kv_says_what_is_wrong(self):
        at = self.start_cluster().addresses[0]
        self.assertEqual(kv("get", "a", "--at", "nowhere")[0], 2)
        self.assertEqual(kv("get", "", "--at", at)[0], 2)
        self.assertEqual(kv("put", "a", "b", "--at", at, "--context", "xyz")[0], 2)
        self.assertEqual(kv("put", "a", "b", "--at", at, "--context", "abcd")[0], 2)
        self.servers[0].kill(signal.SIGKILL)
        code, out, err = kv("get", "a", "--at", at)
        self.assertEqual((code, err), (1, f"ringside kv: failed: unavailable: {at}: Connection refused\n"))

    def test_a_put_that_reaches_too_few_replicas_is_not_called_done(self):
        at = self.node(1, "127.0.0.1:0").addresses[0]
        code, out, err = kv("put", "a", "1", "--at", at, "--timeout-ms", "1000")
        self.assertEqual((code, out), (1, ""))


if __name__ == "__main__":
    RINGSIDE = sys.argv.pop(1)
    unittest.main(verbosity=2)
