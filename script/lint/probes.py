#!/usr/bin/env python3
"""Probes: every `probe("room.path_taken")` is a literal whose prefix belongs to one room, and every probe that a scenario
names is declared somewhere. With --list, prints the declared probes, one a line, with where they are reached.
"""

import re
import sys

import sources

CALL = re.compile(r"(?:\.|->)\s*probe\s*\(\s*")
NAME = re.compile(r'"([^"]*)"\s*\)')
FORM = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
NODE_ROOMS = ["storage", "protocols", "database", "node"]
# Rooms that hand on a name which node code gave them.
FORWARDERS = ["sim", "posix", "lab"]


def declared(root=sources.ROOT):
    """{name: [(path, line), …]} and the findings on the way."""
    names, findings = {}, []
    for path in sources.files([".h", ".cc"], root):
        room = sources.room_of(path)
        if sources.is_test(path) or room not in sources.ROOMS or room in FORWARDERS:
            continue
        text = sources.blank(sources.read(path, root), keep_strings=True)
        for call in CALL.finditer(text):
            line = sources.line_of(text, call.start())
            literal = NAME.match(text, call.end())
            if literal is None:
                findings.append((path, line, "a probe's name must be one string literal, so that it can be found"))
            elif not FORM.match(literal.group(1)):
                findings.append((path, line, f'probe "{literal.group(1)}" should read "noun.path_taken"'))
            else:
                names.setdefault(literal.group(1), []).append((path, line))
    return names, findings


def check(root=sources.ROOT):
    names, findings = declared(root)
    owner = {}
    for name, places in sorted(names.items()):
        prefix = name.split(".")[0]
        for path, line in places:
            room = sources.room_of(path)
            first = owner.setdefault(prefix, (room, path))
            if first[0] != room:
                findings.append((path, line, f'probe prefix "{prefix}." belongs to {first[0]} ({first[1]})'))
    for path in sources.files([".textproto"], root):
        text = re.sub(r"#[^\n]*", "", sources.read(path, root))
        for use in re.finditer(r'\b(?:on_probe|reached)\s*:\s*(\[[^\]]*\]|"[^"]*")', text):
            for name in re.findall(r'"([^"]*)"', use.group(1)):
                if name not in names:
                    findings.append((path, sources.line_of(text, use.start()), f'no code declares the probe "{name}"'))
    return findings


if __name__ == "__main__":
    if "--list" in sys.argv[1:]:
        for probe, places in sorted(declared()[0].items()):
            print(probe, *(f"{path}:{line}" for path, line in places))
    else:
        sources.finish("probes", check())
