#!/usr/bin/env python3
"""`engine inspect|verify|dump` as a user meets them, on what a killed server left. Usage: engine_test.py RINGSIDE
[TEST...]"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import serve_test


def engine(verb, *arguments):
    done = subprocess.run([serve_test.RINGSIDE, "engine", verb, *arguments], capture_output=True,
                          timeout=serve_test.DEADLINE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def everything_in(directory):
    """path -> (bytes' hash, time of the last change), of files and directories."""
    found = {}
    for folder, _, names in os.walk(directory):
        found[folder] = os.stat(folder).st_mtime_ns
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[path] = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns)
    return found


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


class EngineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """One server, killed: its last batches are in the log alone, the others in a table. Tests work on copies."""
        cls.home = tempfile.mkdtemp(prefix="ringside-engine-")
        server = serve_test.Server("--nodes", "1", "--port", "0", "--data", cls.home + "/c")
        cls.busy = engine("verify", cls.home + "/c/node-1")
        at = server.addresses[0]
        for i in range(80):  # more than a memtable takes
            assert serve_test.kv("put", f"big-{i:03}", str(i % 10) * 120_000, "--at", at)[0] == 0
        for key, value in (("cart", "milk"), ("cart", "eggs"), ("odd\nkey", "tab\there"), ("gone", "x")):
            assert serve_test.kv("put", key, value, "--at", at)[0] == 0
        context = json.loads(serve_test.kv("get", "gone", "--at", at, "--json")[1])["context"]
        assert serve_test.kv("delete", "gone", "--at", at, "--context", context)[0] == 0
        end = time.monotonic() + serve_test.DEADLINE
        while not cls.table_is_named():
            assert time.monotonic() < end, "the flush never ended"
        assert server.kill(signal.SIGKILL) == -signal.SIGKILL

    @classmethod
    def table_is_named(cls):
        """Whether a flush is done: its table stands in the manifest. Looks at a copy of what the server works on."""
        copy = cls.home + "/copy"
        try:
            shutil.copytree(cls.home + "/c/node-1/files/data", copy)
        except shutil.Error:
            return False  # a file went away meanwhile
        else:
            return bool(json.loads(engine("inspect", copy, "--json")[1])["tables"])
        finally:
            shutil.rmtree(copy)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.home)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ringside-engine-")
        self.node = self.directory + "/node-1"
        self.files = self.node + "/files/data"
        shutil.copytree(self.home + "/c/node-1", self.node)
        self.before = everything_in(self.directory)

    def tearDown(self):
        shutil.rmtree(self.directory)

    def unchanged(self):
        self.assertEqual(everything_in(self.directory), self.before)

    def test_inspect_says_what_is_there(self):
        code, out, err = engine("inspect", self.node)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("node 1 of 1 with 1 copies of a key", out)
        for word in ("manifest  record", "tables    ", "log       ", "recovery  "):
            self.assertIn(word, out)
        code, out, err = engine("inspect", self.node, "--json")
        self.assertEqual((code, err), (0, ""))
        found = json.loads(out)
        self.assertTrue(found["recovery"]["opens"])
        self.assertEqual(found["directory"], os.path.realpath(self.files))
        self.assertGreaterEqual(found["recovery"]["last_batch"], 85)
        segments = [file for file in found["log"] if file["segment"] > 0]
        self.assertEqual(max(file["end_batch"] for file in segments), found["recovery"]["last_batch"] + 1)
        names = {os.path.basename(path) for path in found["unnamed_tables"]}
        names |= {f"{table['id']:06}" for table in found["tables"]}
        self.assertEqual(names, set(os.listdir(self.files + "/tables")))
        self.unchanged()

    def test_verify_of_what_a_killed_server_left_is_clean(self):
        code, out, err = engine("verify", self.node, "--json")
        self.assertEqual((code, err), (0, ""), out)
        found = json.loads(out)
        self.assertEqual((found["clean"], found["problems"]), (True, []))
        self.assertGreaterEqual(found["keys"], 83)
        self.assertGreater(found["log_groups"], 0)
        code, out, err = engine("verify", self.node)
        self.assertEqual(code, 0, err)
        self.assertTrue(out.startswith("clean: read "), out)
        self.assertEqual(len(out.splitlines()), 1)
        self.unchanged()

    def test_dump_prints_every_live_key_and_nothing_else(self):
        code, out, err = engine("dump", self.node)
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        big = [f"big-{i:03}\t{str(i % 10) * 120_000}" for i in range(80)]
        self.assertEqual(sorted(lines), sorted(big + ["cart\teggs", "cart\tmilk", "odd\\x0akey\ttab\\x09here"]))
        code, out, err = engine("dump", self.node, "--from", "cart", "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        found = {row["key"]: sorted(s["value"] for s in row["siblings"]) for row in rows}
        self.assertEqual(found, {"cart": ["eggs", "milk"], "odd\nkey": ["tab\there"]})
        code, out, err = engine("dump", self.node, "--from", "odd\\x0a", "--to", "p")
        self.assertEqual(out, "odd\\x0akey\ttab\\x09here\n")
        code, out, err = engine("dump", self.node, "--limit", "3", "--from", "big-010")
        self.assertEqual(len(out.splitlines()), 3)
        for line in out.splitlines():
            self.assertGreaterEqual(line[:7], "big-010")
        self.unchanged()

    def test_dump_raw_leaves_the_encodings_and_shows_deletions(self):
        code, out, err = engine("dump", self.node, "--raw", "--json")
        self.assertEqual((code, err), (0, ""))
        rows = {}  # of objects, by key: what stands behind the kind of the row and its position
        for line in out.splitlines():
            row = json.loads(line)
            name = bytes.fromhex(row["key_hex"]) if "key_hex" in row else row["key"].encode()
            if name[0] == 1:
                rows[name[9:]] = bytes.fromhex(row["value_hex"]) if "value_hex" in row else row["value"].encode()
        self.assertEqual(sorted(rows)[80:], [b"cart", b"gone", b"odd\nkey"])
        self.assertIn(b"milk", rows[b"cart"])
        self.unchanged()

    def test_changes_are_a_stream_or_a_clear_no(self):
        code, out, err = engine("dump", self.node, "--changes")
        if code == 2:
            self.assertEqual((out, err), ("", "ringside engine: this engine has no change stream\n"))
        else:
            last = json.loads(engine("inspect", self.node, "--json")[1])["recovery"]["last_batch"]
            code, out, err = engine("dump", self.node, "--changes", str(last - 1), "--json")
            self.assertEqual(json.loads(out.splitlines()[0])["batch"], last)
        self.unchanged()

    def problems(self):
        """What verify names, in both of its voices."""
        code, out, err = engine("verify", self.node)
        self.assertEqual((code, err), (1, ""), out)
        as_json = json.loads(engine("verify", self.node, "--json")[1])
        self.assertEqual(out.splitlines()[:-1], as_json["problems"])
        self.assertFalse(as_json["clean"])
        return as_json["problems"]

    def named_table(self):
        """The largest: there is one for each partition that holds anything."""
        paths = [f"{self.files}/tables/{table['id']:06}"
                 for table in json.loads(engine("inspect", self.node, "--json")[1])["tables"]]
        return max(paths, key=os.path.getsize)

    def test_a_flipped_byte_in_a_table_is_named_with_file_and_offset(self):
        path = self.named_table()
        flip(path, 50_000)
        self.before = everything_in(self.directory)
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        file, offset = problems[0].split(": ")[0].split(" at ")
        self.assertEqual(file, os.path.realpath(path))
        self.assertLessEqual(int(offset), 50_000)
        self.unchanged()
        code, out, err = engine("dump", self.node)
        self.assertEqual((code, err.split(": ", 1)[1].split(": ")[0]), (1, problems[0].split(": ")[0]))

    def test_a_flipped_byte_in_the_log_is_named_with_file_and_offset(self):
        logs = [file for file in json.loads(engine("inspect", self.node, "--json")[1])["log"] if file["segment"] > 0]
        file = logs[-1]
        offset = file["bytes"] - 3 * 4096  # the third group from the end: what follows proves that it was durable
        flip(file["file"], offset + 100)
        self.before = everything_in(self.directory)
        problems = self.problems()
        self.assertTrue(problems[0].startswith(f"{file['file']} at {offset}: "), problems)
        code, out, err = engine("inspect", self.node)
        self.assertIn(f"damaged at {offset}", out)
        self.unchanged()

    def test_a_flipped_byte_in_the_manifest_and_a_missing_table_are_named(self):
        os.remove(self.named_table())
        self.assertIn("/tables/", self.problems()[0])
        flip(self.files + "/manifest", 33)
        self.before = everything_in(self.directory)
        self.assertTrue(self.problems()[0].startswith(os.path.realpath(self.files) + "/manifest at 0: "))
        code, out, err = engine("inspect", self.node)
        self.assertEqual((code, err), (1, ""))
        self.assertIn("refused: ", out)
        self.unchanged()

    def test_a_directory_that_a_server_has_is_refused(self):
        code, out, err = self.busy
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err, f"ringside engine: {os.path.realpath(self.home)}/c/node-1: in use by a running server\n")

    def test_bad_input_is_one_clear_line_and_2(self):
        os.makedirs(self.directory + "/empty/node-9/files")
        with open(self.directory + "/empty/node-9/RINGSIDE", "w") as file:
            file.write("ringside data 1\nnode 9\n")
        with open(self.directory + "/key", "w") as file:
            file.write("short")
        for arguments, says in (((self.directory + "/nothing",), "No such file or directory"),
                                ((self.node + "/RINGSIDE",), "not a directory"),
                                ((self.directory + "/empty",), "name one, as in"),
                                ((self.directory + "/empty/node-9",), "no engine has been here yet"),
                                (("/",), "holds neither a node's data nor an engine's"),
                                ((self.node, "--key", self.directory + "/key"), "a key has 32 bytes"),
                                ((self.node, "--key", self.directory + "/no-key"), "the key cannot be read")):
            for verb in ("inspect", "verify", "dump"):
                code, out, err = engine(verb, *arguments)
                self.assertEqual((code, out), (2, ""), arguments)
                self.assertIn(says, err)
                self.assertEqual(len(err.splitlines()), 1, err)
        code, out, err = engine("dump", self.node, "--from", "\\q")
        self.assertEqual(code, 2)
        self.assertIn("\\xNN", err)
        self.assertEqual(engine("dump", self.node, "--from", "a", "--changes")[0], 2)

    def test_the_engines_own_directory_will_do_and_a_copy_of_it(self):
        self.assertEqual(engine("dump", self.files, "--limit", "1")[0], 0)
        copy = self.directory + "/copy"
        shutil.copytree(self.files, copy)
        whole = engine("dump", self.node)[1]
        self.assertEqual(engine("dump", copy), (0, whole, ""))

    def test_a_server_starts_after_it_with_everything(self):
        engine("verify", self.node)
        server = serve_test.Server("--nodes", "1", "--port", "0", "--data", self.directory)
        self.assertTrue(server.addresses)
        got = json.loads(serve_test.kv("get", "cart", "--at", server.addresses[0], "--json")[1])
        self.assertEqual(sorted(s["value"] for s in got["siblings"]), ["eggs", "milk"])
        server.kill()


if __name__ == "__main__":
    serve_test.RINGSIDE = sys.argv.pop(1)
    unittest.main(verbosity=2)
