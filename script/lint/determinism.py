#!/usr/bin/env python3
"""Reads the sources of the deterministic rooms and fails on what the determinism contract forbids: real clocks, threads,
files, sockets, the environment, foreign entropy, libm, mutable statics, pointers as keys, and iteration of containers
that have no order. Tests are exempt. The few exceptions stand in ALLOWED, each with its reason; one that no longer
excepts anything is itself a finding.
"""

import os
import re

import declarations
import sources

# (path, rule or "*", what the line holds, why)
ALLOWED = [
    ("runtime/check.cc", "file", "fprintf", "a failed CHECK says so on stderr before it aborts"),
    ("runtime/frame_pool.cc", "static", "free_frames", "hands out memory; no behaviour can depend on it"),
    ("runtime/frame_pool.cc", "static", "pool_enabled", "hands out memory; no behaviour can depend on it"),
    ("sim/trip_wire.cc", "*", "", "code of the worker that arms it, not of the world: it speaks to the kernel"),
    ("node/misbehave.h", "clock", "<ctime>", "a planted bug, which the trip-wire must catch"),
    ("node/misbehave.h", "clock", "clock_gettime", "a planted bug, which the trip-wire must catch"),
    ("node/misbehave.h", "pointer", "uintptr_t", "a planted bug, which the gate must catch"),
    ("runtime/bug.cc", "static", "names", "set by the lab before a world starts, never by a node"),
]

LIBM = ("sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|"
        "hypot|erf|erfc|tgamma|lgamma|fma")
CALL = r"(?<![\w.>:])(?:::|std::)?"  # a free function: not a member, not another namespace's

RULES = [
    ("clock", r"<(?:chrono|ctime|time\.h|sys/time\.h)>|\bstd::chrono\b|\b(?:steady|system|high_resolution)_clock\b|"
              r"absl/time/|\babsl::Now\b|" + CALL + r"(?:clock_gettime|gettimeofday|nanosleep|usleep|localtime|gmtime|"
              r"mktime|clock|time)\s*\((?!\s*\))|\b_*rdtscp?\b|__builtin_ia32_rdtsc|\b__(?:DATE|TIME|TIMESTAMP)__\b",
     "a real clock: ask Host::clock"),
    ("thread", r"<(?:thread|mutex|shared_mutex|condition_variable|future|atomic|barrier|latch|semaphore|stop_token|"
               r"pthread\.h|threads\.h)>|\bstd::(?:thread|jthread|mutex|shared_mutex|async|future|promise|atomic\w*|"
               r"condition_variable|call_once)\b|\bpthread_\w+|absl/synchronization/|\bthread_local\b|\b__thread\b",
     "a thread: one world is one thread"),
    ("file", r"<(?:fstream|filesystem|iostream|fcntl\.h|dirent\.h|unistd\.h|sys/(?:stat|mman|uio|file)\.h|"
             r"liburing\.h)>|\bstd::(?:filesystem|[io]?fstream|cout|cerr|cin)\b|" + CALL +
             r"(?:fopen|fread|fwrite|v?f?printf|fputs|mmap|pread|pwrite|fsync|fdatasync|opendir)\s*\(",
     "a file or stream: ask Host::disk or Host::trace"),
    ("socket", r"<(?:sys/(?:socket|epoll|select|un)\.h|netinet/[^>]*|arpa/[^>]*|netdb\.h|poll\.h)>|boost/(?:asio|beast)|" +
               CALL + r"(?:socket|accept4?|recv|recvfrom|sendto|sendmsg|epoll_\w+|getaddrinfo)\s*\(",
     "a socket: ask Host::network"),
    ("environment", r"\b(?:secure_)?getenv\b|\bsetenv\b|\bputenv\b|\benviron\b|" + CALL +
                    r"(?:getpid|gethostname|sysconf|setlocale)\s*\(|<locale>|<clocale>",
     "the environment: whatever decides must come from the scenario"),
    ("entropy", r"<random>|\bstd::(?:random_device|mt19937\w*|minstd_rand\w*|default_random_engine|shuffle|sample|"
                r"\w+_distribution)\b|absl/random/|\b(?:getrandom|getentropy|arc4random\w*|RAND_bytes|drand48|lrand48|"
                r"srandom|srand)\b|" + CALL + r"(?:rand|random)\s*\(\s*\)",
     "entropy or a library's distribution: ask Host::random"),
    ("libm", CALL + r"(?:" + LIBM + r")[fl]?\s*\(",
     "libm chooses code by CPU: + - * / and sqrt, or sim's own functions"),
    ("pointer", r"\b(?:std::less|std::greater|std::hash|absl::Hash)\s*<[^<>;]*\*\s*(?:const\s*)?>|\bu?intptr_t\b|"
                r"\breinterpret_cast\s*<\s*(?:std::)?(?:u?int\d+_t|size_t|unsigned|long)\b|\bowner_before\b|%p\b",
     "an address as a value: its order changes from run to run"),
]
COMPILED = [(rule, re.compile(pattern), why) for rule, pattern, why in RULES]


def check_file(path, text, headers=()):
    """Findings of one file as (path, line, rule, message). `headers`: texts whose containers the file may iterate."""
    findings = []
    code = sources.blank(text)
    near = "\n".join([code, *map(sources.blank, headers)])
    lines = code.splitlines()
    for number, line in enumerate(lines, 1):
        for rule, pattern, why in COMPILED:
            hit = pattern.search(line)
            if hit and not (hit.group().endswith("(") and (declares(line, hit.start()) or own_name(near, text, hit))):
                findings.append((path, number, rule, f"{hit.group().strip()}: {why}"))
    for number, name in declarations.mutable_statics(code):
        findings.append((path, number, "static", f"{name}: mutable static state outlives a world"))
    for number, key in declarations.pointer_keys(code):
        findings.append((path, number, "pointer", f"{key} as a key: its order or hash changes from run to run"))
    unordered = declarations.unordered_names(near)
    for number, name in declarations.iterations(code, unordered):
        findings.append((path, number, "order", f"{name} has no order: look up in it, never walk it"))
    return findings


def declares(line, start):
    """Whether the name at `start` is declared there, as a function of our own, and not called: a type stands before it."""
    before = re.search(r"([\w>&*]+)\s+$", line[:start])
    return bool(before) and before.group(1) not in ("return", "co_return", "co_await", "co_yield", "else", "do", "case", "&&",
                                                    "&", "*", ">", ">>")


def own_name(near, text, hit):
    """Whether a bare name is no library's: a member that the file or its headers declare, or sim's own function."""
    name = hit.group().rstrip("( ")
    if not re.fullmatch(LIBM, name):
        return False
    if '#include "sim/math.h"' in text or re.search(rf"\w[&*]*\s+[&*]*{name}_?\s*[;={{]", near):
        return True
    heads = (line.group(1) for line in re.finditer(rf"^([^\n]*)\b{name}\(", near, re.M))
    return any(declares(head, len(head)) for head in heads)


def local_headers(path, text, root):
    """The project's headers that `path` includes, itself excluded: where its members may be declared."""
    found = []
    for used in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M):
        if used != path and os.path.isfile(os.path.join(root, used)) and sources.room_of(used) in sources.DETERMINISTIC:
            found.append(sources.read(used, root))
    return found


def check(root=sources.ROOT, allowed=None):
    allowed = ALLOWED if allowed is None else allowed
    used, findings = set(), []
    for path in sources.files([".h", ".cc", ".proto"], root):
        if sources.room_of(path) not in sources.DETERMINISTIC + ["scenarios"] or sources.is_test(path):
            continue
        text = sources.read(path, root)
        if path.endswith(".proto"):
            code = sources.blank(text)
            findings += [(path, sources.line_of(code, m.start()), "a protobuf map has no order: use a sorted repeated field")
                         for m in re.finditer(r"\bmap\s*<", code)]
            continue
        if sources.room_of(path) == "scenarios":
            continue
        lines = text.splitlines()
        for _, line, rule, message in check_file(path, text, local_headers(path, text, root)):
            excused = [entry for entry in allowed
                       if entry[0] == path and entry[1] in (rule, "*") and entry[2] in lines[line - 1]]
            used.update(excused)
            if not excused:
                findings.append((path, line, message))
    findings += [(entry[0], 1, f'the exception for {entry[1]} "{entry[2]}" excepts nothing: take it out')
                 for entry in allowed if entry not in used]
    return findings


if __name__ == "__main__":
    sources.finish("determinism", check())
