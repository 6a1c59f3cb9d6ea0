#!/usr/bin/env python3
"""shards_test.py PROGRAM SCENARIOS: the recipes of docs/hunting.md, as they stand there. Ranks of mpirun, and the tasks of a
job array under a Slurm of one node that the test starts itself, leave what merges to the bytes of one process."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, SCENARIOS = sys.argv[1], pathlib.Path(sys.argv[2])
SCENARIO = str(SCENARIOS / "failures/registers_swarm.textproto")
HUNT = ["hunt", SCENARIO, "--seeds", "48"]
RUN = ["run", SCENARIO, "--seeds", "12"]
TASKS = 4


def ringside(*arguments):
    return subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def need(*programs):
    missing = [name for name in programs if not find(name)]
    if missing:
        raise AssertionError(f"not installed: {', '.join(missing)} (script/setup test)")


def find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin")


@contextlib.contextmanager
def process(*command, **options):
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(what, holds, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"no {what} after {seconds} s")
        time.sleep(0.2)


class Shards(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def whole(self, arguments):
        done = ringside(*arguments, "--out", str(self.place / "whole"), "--json", "--no-times")
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def merged(self, parts):
        done = ringside("merge", str(parts), "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def test_ranks_of_mpirun_are_shards(self):
        need("mpirun")
        for what, arguments in (("hunt", HUNT), ("run", RUN)):
            parts = self.place / what
            rank = f'{PROGRAM} {" ".join(arguments)} --shard $((OMPI_COMM_WORLD_RANK + 1))/$OMPI_COMM_WORLD_SIZE ' \
                   f'--jobs 1 --out {parts} || [ $? = 1 ]'
            done = subprocess.run(
                ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(TASKS), "sh", "-c", rank],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(self.whole(arguments), self.merged(parts), what)
            shutil.rmtree(self.place / "whole")

    def test_the_tasks_of_a_slurm_array_are_shards(self):
        need("munged", "slurmctld", "slurmd", "sbatch", "sinfo")
        if os.geteuid() != 0:
            self.skipTest("starts daemons, which takes root")
        parts = self.place / "parts"
        job = self.place / "hunt.sbatch"
        job.write_text(f"#!/bin/sh\n#SBATCH --array=1-{TASKS}\n#SBATCH --output={self.place}/%a.log\n"
                       f"exec {PROGRAM} {' '.join(HUNT)} --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT "
                       f"--jobs 1 --out {parts}\n")
        with self.slurm() as environment:
            done = subprocess.run([find("sbatch"), "--wait", str(job)], env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False, timeout=180)
            self.assertEqual(0, done.returncode, done.stdout)
        self.assertEqual(self.whole(HUNT), self.merged(parts))

    @contextlib.contextmanager
    def slurm(self):
        """A Slurm of this one node, on ports and files of its own; its clients' environment."""
        host = os.uname().nodename.split(".")[0]
        munge = self.place / "munge"
        munge.mkdir(mode=0o700)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        socket = self.place / "munge.socket"
        base = 20000 + os.getpid() % 20000
        for name in ("state", "spool"):
            (self.place / name).mkdir()
        self.place.chmod(0o755)
        configuration = self.place / "slurm.conf"
        configuration.write_text("\n".join([
            "ClusterName=ringside", f"SlurmctldHost={host}(127.0.0.1)", "SlurmUser=root", "SlurmdUser=root",
            f"SlurmctldPort={base}", f"SlurmdPort={base + 1}", "AuthType=auth/munge", f"AuthInfo=socket={socket}",
            "CredType=cred/munge", "ProctrackType=proctrack/pgid", "TaskPlugin=task/none", "MpiDefault=none",
            "SelectType=select/cons_tres", f"StateSaveLocation={self.place}/state",
            f"SlurmdSpoolDir={self.place}/spool", f"SlurmctldPidFile={self.place}/slurmctld.pid",
            f"SlurmdPidFile={self.place}/slurmd.pid", "ReturnToService=2", "AccountingStorageType=accounting_storage/none",
            "JobAcctGatherType=jobacct_gather/none", "SchedulerType=sched/builtin",
            f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN",
            f"PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP", ""]))
        environment = {**os.environ, "SLURM_CONF": str(configuration)}
        with contextlib.ExitStack() as stack:
            stack.enter_context(process(
                find("munged"), "--force", "--foreground", f"--key-file={munge}/key", f"--socket={socket}",
                f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed"))
            wait_for("munged", socket.exists)
            stack.enter_context(process(find("slurmctld"), "-D", "-i", "-f", str(configuration), env=environment))
            stack.enter_context(process(find("slurmd"), "-D", "-f", str(configuration), env=environment))

            def idle():
                told = subprocess.run([find("sinfo"), "-h", "-o", "%T"], env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, check=False)
                return told.stdout.strip() == "idle"
            wait_for("idle node", idle)
            yield environment


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
