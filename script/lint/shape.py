#!/usr/bin/env python3
"""The shape of files: none over 500 lines, every header guarded by `#pragma once` after a comment that states its
contract, every room with a README.
"""

import os

import sources

LINES_MAX = 500


def check(root=sources.ROOT):
    findings = []
    for path in sources.files([".h", ".cc", ".py", ".proto", ".cmake", "CMakeLists.txt"], root):
        lines = sources.read(path, root).splitlines()
        if len(lines) > LINES_MAX:
            findings.append((path, LINES_MAX + 1, f"{len(lines)} lines, at most {LINES_MAX}: one noun, one file"))
        if path.endswith(".h") and sources.room_of(path) in sources.ROOMS:
            if "#pragma once" not in lines:
                findings.append((path, 1, "a header needs #pragma once"))
            if not lines or not lines[0].startswith("//"):
                findings.append((path, 1, "a header opens with its contract, in a comment"))
    for room in sources.ROOMS + ["scenarios", "notebooks"]:
        if os.path.isdir(os.path.join(root, room)) and not os.path.isfile(os.path.join(root, room, "README.md")):
            findings.append((room + "/README.md", 1, "every room has a README of one screen"))
    return findings


if __name__ == "__main__":
    sources.finish("shape", check())
