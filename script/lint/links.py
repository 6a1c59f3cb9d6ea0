#!/usr/bin/env python3
"""links.py BUILD_DIRECTORY: one node, two worlds, shown on what was built. The node's libraries reference no symbol that
sim or posix defines; every node source was compiled by exactly one command, which names neither world; and the
`ringside` program links those same libraries with both hosts.
"""

import json
import os
import subprocess
import sys

import sources

NODE_ROOMS = ["runtime", "storage", "protocols", "database", "node"]
HOSTS = ["sim", "posix"]


def symbols(archive, which):
    """Demangled names in an archive: those it defines for others, or those it needs."""
    flags = ["--defined-only", "--extern-only"] if which == "defined" else ["--undefined-only"]
    run = subprocess.run(["llvm-nm-19", "--demangle", "--format=just-symbols", *flags, archive], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {line.strip() for line in run.stdout.splitlines() if line.strip() and not line.rstrip().endswith(":")}


def leaks(node_libraries, host_libraries):
    """[(library, names)] of what a node library needs and only a host defines."""
    own = set().union(*(symbols(library, "defined") for library in node_libraries))
    hosts = set().union(*(symbols(library, "defined") for library in host_libraries)) - own
    found = []
    for library in node_libraries:
        names = {name for name in symbols(library, "needed") - own
                 if name in hosts or "ringside::sim::" in name or "ringside::posix::" in name}
        if names:
            found.append((library, names))
    return found


def command_findings(commands, expected, root):
    """`commands`: of compile_commands.json; `expected`: the node's sources that the build must hold."""
    by_file = {}
    for entry in commands:
        by_file.setdefault(os.path.relpath(entry["file"], root), []).append(entry.get("command", ""))
    findings = []
    for path in expected:
        given = by_file.get(path, [])
        if len(given) != 1:
            findings.append((path, 1, f"compiled by {len(given)} commands; one must serve both worlds"))
            continue
        worlds = [word for word in given[0].split()
                  if word.startswith(("-D", "-I", "-include")) and any(host in word.lower() for host in HOSTS)
                  and not word.startswith("-I/")]
        if worlds:
            findings.append((path, 1, f"its compile command names a world: {' '.join(worlds)}"))
    return findings


def listed_sources(room):
    """The sources that the room's CMakeLists.txt hands to its library."""
    path = os.path.join(room, "CMakeLists.txt")
    if not os.path.isfile(os.path.join(sources.ROOT, path)):
        return []
    every = [p for p in sources.files([".cc"]) if sources.room_of(p) == room and not sources.is_test(p)]
    text = sources.read(path)
    return [p for p in every if p[len(room) + 1:] in text.replace("(", " ").replace(")", " ").split()]


def check(build):
    def archive(room):
        return os.path.join(build, room, f"libringside_{room}.a")

    findings = []
    node = [archive(room) for room in NODE_ROOMS if os.path.isfile(archive(room))]
    hosts = [archive(room) for room in HOSTS if os.path.isfile(archive(room))]
    if len(node) < 4 or len(hosts) < 2:
        return [(build, 1, f"only {len(node)} node libraries and {len(hosts)} hosts are built here")]
    for library, names in leaks(node, hosts):
        findings += [(os.path.relpath(library, sources.ROOT), 1, f"needs {name}, which is a host's")
                     for name in sorted(names)]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    expected = [path for room in NODE_ROOMS for path in listed_sources(room)]
    if len(expected) < 10:
        findings.append((build, 1, f"only {len(expected)} node sources found: the test looks at the wrong tree"))
    findings += command_findings(commands, expected, sources.ROOT)
    program = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", "cli/ringside"], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    for library in node + hosts:
        if os.path.relpath(library, build) not in program:
            findings.append(("cli/ringside", 1, f"is not linked with {os.path.basename(library)}"))
    return findings


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sources.finish("links", check(os.path.abspath(sys.argv[1])))
