#!/usr/bin/env python3
"""Both hosts side by side: plays the conformance tests on every stage and prints what held, as a markdown table.

Usage: conformance_table.py BUILD_DIR [--write FILE]. Exit code 0: nothing failed; 1: something did; 2: no results.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

STAGES = ("page_cache", "io_uring", "threads", "sim")
FILTER = "*Conformance.*"


def play(build):
    """(suite, test, stage) -> "pass", "fail" or "skipped: why", in the order of the program."""
    program = os.path.join(build, "posix", "posix_test")
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")  # the JSON report leaves out why a test was skipped
        try:
            subprocess.run([program, f"--gtest_filter={FILTER}", f"--gtest_output=xml:{report}"], stdout=sys.stderr,
                           check=False)
            root = xml.parse(report).getroot()
        except (OSError, xml.ParseError) as error:
            print(f"conformance_table: {program} gave no results: {error}", file=sys.stderr)
            sys.exit(2)
    outcomes = {}
    for case in root.iter("testcase"):
        test, stage = case.get("name").rsplit("/", 1)
        skipped = case.find("skipped")
        if case.find("failure") is not None:
            outcome = "**fail**"
        elif skipped is not None:
            outcome = "skipped: " + skipped.get("message").split("\n")[-1]
        else:
            outcome = "pass" if case.get("result") == "completed" else "not run"
        outcomes[case.get("classname"), test, stage] = outcome
    return outcomes


def counted(outcomes):
    lines = []
    for stage in STAGES:
        here = [outcome for (_, _, where), outcome in outcomes.items() if where == stage]
        passed, failed = here.count("pass"), here.count("**fail**")
        lines.append(f"{stage}: {passed} passed, {failed} failed, {len(here) - passed - failed} skipped")
    return lines


def table(outcomes):
    rows = []
    for suite, test, _ in outcomes:
        if (suite, test) not in rows:
            rows.append((suite, test))
    lines = ["| Promise | " + " | ".join(STAGES) + " |", "|---" * (len(STAGES) + 1) + "|"]
    before = None
    for suite, test in rows:
        if suite != before:
            lines.append(f"| **{suite.removesuffix('Conformance')}** |" + " |" * len(STAGES))
            before = suite
        cells = [outcomes.get((suite, test, stage), "not run") for stage in STAGES]
        lines.append(f"| {test.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="a build directory that holds posix/posix_test")
    parser.add_argument("--write", metavar="FILE", help="replaces what follows the line `## Results` in FILE")
    arguments = parser.parse_args()
    outcomes = play(arguments.build)
    text = "\n".join([*(f"- {line}" for line in counted(outcomes)), "", *table(outcomes)]) + "\n"
    print(text, end="")
    if arguments.write:
        with open(arguments.write, encoding="utf-8") as file:
            head = file.read().split("## Results\n")[0]
        with open(arguments.write, "w", encoding="utf-8") as file:
            file.write(head + "## Results\n\n" + text)
    sys.exit(1 if "**fail**" in outcomes.values() else 0)


if __name__ == "__main__":
    main()
