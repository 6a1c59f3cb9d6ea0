#!/usr/bin/env python3
"""Holds the house's order: a room includes, imports and links only rooms below it, and a few stricter rules.

The node's rooms (storage, protocols, database, node) never see a host; sim and posix know nothing of nodes; workloads
speaks through the client library; analysis knows histories and nothing of the node. Tests are free to bring rooms
together. Headers that are slow to compile stay in their rooms and out of every .h.
"""

import os
import re

import sources

# What each room may use; a rule is a room, or a prefix of paths inside one.
ALLOWED = {
    "runtime": [],
    "sim": ["runtime"],
    "posix": ["runtime"],
    "storage": ["runtime"],
    "protocols": ["runtime", "storage"],
    "database": ["runtime", "storage", "protocols"],
    "node": ["runtime", "storage", "protocols", "database"],
    "workloads": ["runtime", "protocols/client", "protocols/context"],
    "analysis": ["runtime", "workloads/history", "workloads/value"],
    "scenarios": [],
    "lab": ["runtime", "sim", "posix", "storage", "protocols", "database", "node", "workloads", "analysis", "scenarios"],
    "cli": ["runtime", "sim", "posix", "storage", "protocols", "database", "node", "workloads", "analysis", "scenarios",
            "lab"],
    "bench": ["runtime", "sim", "posix", "storage", "protocols", "database", "node", "workloads", "analysis",
              "scenarios", "lab"],
}

# Heavy headers: the rooms that may include them, and in how many .cc files each.
HEAVY = {
    "boost/asio": (["posix"], 4),
    "boost/beast": (["posix"], 3),
    "boost/graph": (["sim", "analysis", "lab"], 3),
    "Eigen/": (["analysis"], 3),
    "CLI/": (["cli"], 3),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
IMPORT = re.compile(r'^\s*import\s+(?:public\s+)?"([^"]+)"\s*;', re.M)


def permitted(room, used):
    if sources.room_of(used) == room:
        return True
    return any(used == rule or used.startswith(rule + "/") or ("/" in rule and used.startswith(rule))
               for rule in ALLOWED[room])


def check(root=sources.ROOT):
    findings = []
    heavy_users = {}
    for path in sources.files([".h", ".cc", ".proto"], root):
        room = sources.room_of(path)
        if room not in ALLOWED or sources.is_test(path):
            continue
        text = sources.blank(sources.read(path, root), keep_strings=True)
        if path.endswith(".proto"):
            uses = [(m.group(1), m.start(1)) for m in IMPORT.finditer(text)]
        else:
            uses = [(m.group(2), m.start(2)) for m in INCLUDE.finditer(text)]
        for used, offset in uses:
            line = sources.line_of(text, offset)
            if sources.room_of(used) in ALLOWED and "/" in used and not permitted(room, used):
                findings.append((path, line, f"{room} must not use {used}: not below it in the house"))
            for prefix, (rooms, _) in HEAVY.items():
                if not used.startswith(prefix):
                    continue
                if room not in rooms:
                    findings.append((path, line, f"<{used}> belongs in {' or '.join(rooms)} alone"))
                elif path.endswith(".h"):
                    findings.append((path, line, f"<{used}> is slow to compile: keep it behind a plain header"))
                else:
                    heavy_users.setdefault(prefix, {})[path] = line
    for prefix, users in heavy_users.items():
        if len(users) > HEAVY[prefix][1]:
            findings += [(path, line, f"<{prefix}…> is in {len(users)} .cc files, at most {HEAVY[prefix][1]} may have it")
                         for path, line in sorted(users.items())]
    return findings + check_links(root)


def check_links(root):
    """The same order for what CMake links: the DEPENDS of each ringside_room."""
    findings = []
    for path in sources.files(["CMakeLists.txt"], root):
        room = sources.room_of(path)
        text = re.sub(r"#[^\n]*", lambda m: " " * len(m.group()), sources.read(path, root))
        for call in re.finditer(r"ringside_room\(\s*(\w+)([^)]*)\)", text):
            depends = re.search(r"(?<![A-Z_])DEPENDS\s+((?:[^\sA-Z]\S*\s*)*)", call.group(2))
            for name in depends.group(1).split() if depends else []:
                used = name.removeprefix("ringside_")
                if used in ALLOWED and room in ALLOWED and used != room and \
                        used not in {rule.split("/")[0] for rule in ALLOWED[room]}:
                    findings.append((path, sources.line_of(text, call.start()),
                                     f"{room} must not link {used}: not below it in the house"))
    return findings


if __name__ == "__main__":
    sources.finish("layering", check())
