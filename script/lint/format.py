#!/usr/bin/env python3
"""clang-format-19 decides how C++ looks: fails on any source that it would change. With --fix, changes it."""

import shutil
import subprocess
import sys

import sources

PROGRAM = "clang-format-19"


def check(paths, root=sources.ROOT):
    """The findings of one run over `paths`, as clang-format words them."""
    if not paths:
        return []
    run = subprocess.run([PROGRAM, "--dry-run", "-Werror", "--ferror-limit=1", *paths], cwd=root,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    findings = {}
    for line in run.stdout.splitlines():
        parts = line.split(":")
        if "clang-format-violations" in line and len(parts) > 3:
            findings.setdefault(parts[0], (parts[0], int(parts[1]), "not as clang-format-19 would write it"))
    if run.returncode != 0 and not findings:
        findings[""] = (paths[0], 1, run.stdout.strip() or f"{PROGRAM} failed")
    return list(findings.values())


if __name__ == "__main__":
    if shutil.which(PROGRAM) is None:
        sys.exit(f"format: {PROGRAM} is not installed (script/setup test)")
    every = sources.files([".h", ".cc"])
    if "--fix" in sys.argv[1:]:
        subprocess.run([PROGRAM, "-i", *every], cwd=sources.ROOT, check=True)
    sources.finish("format", check(every))
