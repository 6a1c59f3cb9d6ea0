"""What the lints share: the project's files, and C++ text with its comments and literals blanked out.

A finding is (path, line, message); a lint prints each as `path:line: message` and exits 1 when there is one.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ["runtime", "sim", "posix", "storage", "protocols", "database", "node", "workloads", "analysis", "lab", "cli",
         "bench"]
DETERMINISTIC = ["runtime", "sim", "storage", "protocols", "database", "node", "workloads"]


def read(path, root=ROOT):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def files(suffixes, root=ROOT):
    """Paths of the project's own files: what git tracks or would, else (an unpacked archive) all that is not built."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = []
        for folder, folders, here in os.walk(root):
            folders[:] = [f for f in folders if f not in ("build", ".git")]
            names += [os.path.relpath(os.path.join(folder, name), root) for name in here]
    return sorted({n for n in names if n.endswith(tuple(suffixes)) and os.path.isfile(os.path.join(root, n))})


def room_of(path):
    return path.split("/", 1)[0]


def is_test(path):
    stem = os.path.basename(path).rsplit(".", 1)[0]
    return (stem.endswith(("_test", "_testing")) or stem.startswith(("test_", "fuzz", "conformance")) or stem == "testing" or
            "/testing/" in path)


def blank(text, keep_strings=False):
    """The same text, line by line and column by column, without comments and (unless kept) without literals."""
    out = []
    at, end = 0, len(text)

    def erase(upto):
        out.append(re.sub(r"[^\n]", " ", text[at:upto]))

    while at < end:
        two = text[at:at + 2]
        if two == "//":
            stop = text.find("\n", at)
            stop = end if stop < 0 else stop
            erase(stop)
        elif two == "/*":
            stop = text.find("*/", at + 2)
            stop = end if stop < 0 else stop + 2
            erase(stop)
        elif text[at] == '"' and re.search(r"\bR$", text[max(0, at - 2):at]):
            mark = text[at + 1:text.index("(", at)]
            stop = text.find(")" + mark + '"', at)
            stop = end if stop < 0 else stop + len(mark) + 2
            out.append(text[at:stop]) if keep_strings else erase(stop)
        elif text[at] == '"' or (text[at] == "'" and not re.search(r"[0-9a-fA-F]$", text[at - 1:at])):
            stop = at + 1
            while stop < end and text[stop] != text[at] and text[stop] != "\n":
                stop += 2 if text[stop] == "\\" else 1
            stop = min(stop + 1, end)
            if keep_strings or is_include_line(text, at):
                out.append(text[at:stop])
            else:
                out.append(text[at] + " " * max(0, stop - at - 2) + text[stop - 1])
        else:
            stop = at + 1
            out.append(text[at])
        at = stop
    return "".join(out)


def is_include_line(text, at):
    return re.match(r"\s*#\s*include\b", text[text.rfind("\n", 0, at) + 1:at]) is not None


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(name, findings):
    for path, line, message in findings:
        print(f"{path}:{line}: {message}")
    if findings:
        print(f"{name}: {len(findings)} finding{'s' if len(findings) != 1 else ''}")
        sys.exit(1)
    print(f"{name}: nothing found")
