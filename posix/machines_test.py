#!/usr/bin/env python3
"""A cluster of three machines: `ringside serve` in three network namespaces behind one switch, with weather, a cut, a kill.

Usage: machines_test.py RINGSIDE. Exit code 0: it held; 1: it did not; 77: the kernel forbids namespaces, skipped.

Everything lies in a mount namespace of this process's own with a /run of its own, so that the namespaces that `ip netns`
makes, and the nodes' files, cannot be seen by others and go with this process, however it ends. Nothing else of the
machine is touched.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

RINGSIDE = ""
DEADLINE = 58  # seconds for all of it
SKIPPED = 77
NODES = (1, 2, 3)
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """It cannot be tried here."""


def say(text):
    print(f"{time.monotonic() - STARTED:6.2f} s  {text}", flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def system_call(result, what):
    if result != 0:
        raise Skip(f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags):
    system_call(LIBC.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None),
                f"mount {target}")


def leave_what_others_see():
    """As root, or as a root of our own where the kernel lets users have one."""
    if LIBC.unshare(CLONE_NEWNS) != 0:
        user, group = os.geteuid(), os.getegid()
        # The network too: `ip netns` goes back to where it came from, which only that namespace's owner may.
        system_call(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET), "neither root nor a namespace for users")
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", "/run", "tmpfs", 0)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=20, preexec_fn=die_with_parent, check=False)


def ip(*arguments):
    done = run("ip", *arguments)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Wires:
    """Namespaces m1 to m3, each with eth0 on one bridge in a fourth namespace, `switch`."""

    def __init__(self):
        self.names = []

    def build(self):
        try:
            for name in ("switch", *(f"m{node}" for node in NODES)):
                ip("netns", "add", name)
                self.names.append(name)
        except RuntimeError as error:
            raise Skip(str(error)) from error
        ip("-n", "switch", "link", "add", "bridge0", "type", "bridge")
        ip("-n", "switch", "link", "set", "bridge0", "up")
        for node in NODES:
            ip("-n", "switch", "link", "add", f"port{node}", "type", "veth", "peer", "name", "eth0", "netns", f"m{node}")
            ip("-n", "switch", "link", "set", f"port{node}", "master", "bridge0", "up")
            ip("-n", f"m{node}", "address", "add", f"10.77.0.{node}/24", "dev", "eth0")
            ip("-n", f"m{node}", "link", "set", "eth0", "up")
            ip("-n", f"m{node}", "link", "set", "lo", "up")

    def plug(self, node, how):
        ip("-n", "switch", "link", "set", f"port{node}", how)

    def bad_weather(self):
        """Delay and loss on every wire, as far as this kernel has them: what was made."""
        for what, discipline in (("netem: 20 ms, 5 % lost", "netem delay 20ms 5ms loss 5%"),
                                 ("tbf: 8 Mbit/s, 20 ms of queue, the rest lost (this kernel has no sch_netem)",
                                  "tbf rate 8mbit burst 8kb latency 20ms")):
            done = [run("tc", "-n", f"m{node}", "qdisc", "add", "dev", "eth0", "root", *discipline.split())
                    for node in NODES]
            if all(each.returncode == 0 for each in done):
                return what
        say("this kernel has neither sch_netem nor sch_tbf: no weather, cuts alone")
        return None

    def weather_seen(self):
        """Packets that were dropped, and times that one had to wait."""
        dropped = waited = 0
        for node in NODES:
            for each in json.loads(run("tc", "-n", f"m{node}", "-s", "-j", "qdisc", "show", "dev", "eth0").stdout):
                dropped += each.get("drops", 0)
                waited += each.get("overlimits", 0)
        return dropped, waited

    def good_weather(self):
        for node in NODES:
            run("tc", "-n", f"m{node}", "qdisc", "del", "dev", "eth0", "root")

    def remove(self):
        for name in reversed(self.names):
            run("ip", "netns", "del", name)


def at(node):
    return f"10.77.0.{node}:7001"


class Cluster:
    def __init__(self, directory):
        self.directory = directory
        self.servers = {}
        self.written = {}  # acknowledged

    def start(self, node):
        joins = ["--join", ",".join(at(other) for other in NODES if other != node)]
        errors = open(f"{self.directory}/errors-{node}", "ab")
        with errors:
            server = subprocess.Popen(
                ["ip", "netns", "exec", f"m{node}", RINGSIDE, "serve", "--nodes", "3", "--node-id", str(node), "--listen",
                 at(node), *joins, "--data", self.directory],
                stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=die_with_parent)
        self.servers[node] = server
        ready = select.select([server.stdout], [], [], 20)[0] and server.stdout.readline()
        check(ready == f"ready {at(node)}\n", f"node {node} is not ready: {ready!r}")

    def kill(self, node):
        server = self.servers.pop(node)
        server.kill()
        server.wait()
        server.stdout.close()

    def kv(self, node, *arguments, timeout_ms=4000):
        return run("ip", "netns", "exec", f"m{node}", RINGSIDE, "kv", *arguments, "--at", at(node), "--timeout-ms",
                   str(timeout_ms))

    def put(self, node, key, value):
        done = self.kv(node, "put", key, value)
        check(done.returncode == 0, f"put {key} at node {node}: {done.stderr.strip() or done.stdout.strip()}")
        self.written[key] = value

    def read(self, node, key):
        """The values there, or None when it was not answered."""
        done = self.kv(node, "get", key, "--json", timeout_ms=1500)
        return [each["value"] for each in json.loads(done.stdout)["siblings"]] if done.returncode == 0 else None

    def eventually_reads(self, node, key):
        end = time.monotonic() + 20
        while (found := self.read(node, key)) != [self.written[key]]:
            check(time.monotonic() < end, f"{key} at node {node}: {str(found)[:80]}")

    def stop(self):
        for node in list(self.servers):
            self.kill(node)


def play(wires, cluster):
    for node in NODES:
        cluster.start(node)
    say("three nodes serve, one a namespace")
    for i in range(3):
        cluster.put(NODES[i], f"calm-{i}", f"value {i}")
    for i in range(3):
        cluster.eventually_reads(NODES[(i + 1) % 3], f"calm-{i}")
    say("what one takes, another reads")

    weather = wires.bad_weather()
    if weather is not None:
        for i in range(6):
            cluster.put(NODES[i % 3], f"weather-{i}", chr(97 + i) * 40_000)
        for i in range(3):
            cluster.eventually_reads(NODES[(i + 1) % 3], f"weather-{i}")
        dropped, waited = wires.weather_seen()
        check(dropped + waited > 0, "the weather was not felt")
        say(f"puts and gets under {weather}: {dropped} packets dropped, {waited} waits")
        wires.good_weather()

    wires.plug(3, "down")
    for i in range(4):
        cluster.put(NODES[i % 2], f"cut-{i}", f"without node 3: {i}")
    say("node 3 is cut off: puts go on at the two others")
    alone = cluster.kv(3, "put", "lonely", "nobody else has it", timeout_ms=1000)
    check(alone.returncode == 1 and alone.stdout == "", f"a put with one copy was called done: {alone.stdout}")
    check(cluster.read(3, "cut-0") is None, "a get with one reply was answered")
    say("node 3 alone calls nothing done")
    wires.plug(3, "up")
    for i in range(4):
        cluster.eventually_reads(3, f"cut-{i}")
    say("healed: node 3 reads what it missed")

    ip("-n", "m1", "route", "add", "blackhole", "10.77.0.3/32")
    cluster.put(1, "one-way", "past a hole")
    ip("-n", "m1", "route", "del", "blackhole", "10.77.0.3/32")
    cluster.eventually_reads(3, "one-way")
    say("a hole in one node's routes hurts nobody")

    cluster.kill(2)
    cluster.put(1, "killed-1", "without node 2")
    cluster.put(3, "killed-3", "without node 2")
    cluster.start(2)
    for key in cluster.written:
        cluster.eventually_reads(2, key)
    for i, key in enumerate(cluster.written):
        cluster.eventually_reads((1, 3)[i % 2], key)
    say(f"node 2 was killed and is back: all {len(cluster.written)} keys are there")


def fail_on(number, _):
    raise AssertionError(f"it took longer than {DEADLINE} s" if number == signal.SIGALRM else "interrupted")


def main():
    if shutil.which("ip") is None or shutil.which("tc") is None:
        raise Skip("iproute2 is not installed (script/setup test)")
    leave_what_others_see()
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, fail_on)
    signal.alarm(DEADLINE)
    directory = tempfile.mkdtemp(dir="/run")
    wires, cluster = Wires(), Cluster(directory)
    try:
        wires.build()
        play(wires, cluster)
    except BaseException:
        for node in NODES:
            if os.path.exists(f"{directory}/errors-{node}"):
                with open(f"{directory}/errors-{node}", encoding="utf-8", errors="replace") as file:
                    print(f"node {node}: {file.read()}", file=sys.stderr)
        raise
    finally:
        signal.alarm(0)
        cluster.stop()
        wires.remove()
        shutil.rmtree(directory)


if __name__ == "__main__":
    STARTED = time.monotonic()
    RINGSIDE = os.path.abspath(sys.argv[1])
    try:
        main()
    except Skip as reason:
        print(f"skipped: {reason}", flush=True)
        sys.exit(SKIPPED)
