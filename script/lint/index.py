#!/usr/bin/env python3
"""The index of scenarios in scenarios/README.md is what the files say of themselves. With --fix, writes it."""

import pathlib
import re
import sys

import sources

README = "scenarios/README.md"
MARKS = "<!-- index: script/lint/index.py --fix -->", "<!-- end of index -->"
FOLDERS = {
    "papers": "published results, on full nodes",
    "failures": "what must survive",
    "dynamo": "every mechanism of Dynamo: on, off, and under its worst fault",
    "scale": "many machines",
    "planted": "the swarm, unchanged, over a build with a planted bug: must be caught (`script/ringside --planted run …`)",
    "violations": "one for each kind of expectation, which must break it",
}
GROUPS = {
    "network_": "links", "machine_": "machines", "disk_": "disks", "probe_": "hung on a probe",
    "swarm_": "drawn by the seed", "engine_": "engines",
    "quorum_": "quorums", "hints_": "hints", "versions_": "versions", "repair_": "repair", "tombstones_": "tombstones",
    "detection_": "failure detection", "routing_": "coordination", "reads_": "coordination", "buffered_": "buffered writes",
    "background_": "background work", "ring_": "the ring moves", "gossip_": "gossip",
}


def field(text, name):
    found = re.search(rf'^{name}: "(.*)"', text, re.MULTILINE)
    return found.group(1) if found else ""


def group_of(name):
    return next((title for prefix, title in GROUPS.items() if name.startswith(prefix)), "")


def index(root=sources.ROOT):
    """The lines between the marks."""
    lines = ["", "| | shows |", "|---|---|"]
    for folder, what in FOLDERS.items():
        lines.append(f"| **{folder}/** | {what} |")
        files = sorted((pathlib.Path(root) / "scenarios" / folder).glob("*.textproto"),
                       key=lambda file: (group_of(file.stem), file.stem))
        group = ""
        for file in files:
            if group_of(file.stem) != group:
                group = group_of(file.stem)
                lines.append(f"| *{group}* | |")
            lines.append(f"| [`{file.stem}`]({folder}/{file.name}) | {field(file.read_text(), 'about')} |")
    return lines + [""]


def check(root=sources.ROOT):
    text = (pathlib.Path(root) / README).read_text()
    if any(mark not in text for mark in MARKS):
        return [(README, 1, f"has no index between {MARKS[0]} and {MARKS[1]}")]
    before, _, rest = text.partition(MARKS[0])
    inside, _, _ = rest.partition(MARKS[1])
    if inside.strip("\n").splitlines() == index(root)[1:-1]:
        return []
    return [(README, before.count("\n") + 1, "the index is not what the scenarios say; script/lint/index.py --fix")]


if __name__ == "__main__":
    if "--fix" in sys.argv[1:]:
        path = pathlib.Path(sources.ROOT) / README
        before, _, rest = path.read_text().partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        path.write_text(before + MARKS[0] + "\n" + "\n".join(index()) + "\n" + MARKS[1] + after)
    sources.finish("index", check())
