#!/usr/bin/env python3
"""How often drawn faults happen, beside how often they were asked for: plays sim_test's tests of rates and prints what they
measured, as a markdown table.

Usage: fault_rates.py BUILD_DIR. Exit code 0: every test passed; 1: one did not; 2: no results.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

FILTER = "WeatherRates.*:DiskTrouble.*"


def main(build):
    program = os.path.join(build, "sim", "sim_test")
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        try:
            ended = subprocess.run([program, f"--gtest_filter={FILTER}", f"--gtest_output=xml:{report}"],
                                   stdout=subprocess.DEVNULL, check=False).returncode
            root = xml.parse(report).getroot()
        except (OSError, xml.ParseError) as error:
            print(f"fault_rates: {program} gave no results: {error}", file=sys.stderr)
            return 2
    print("| fault | stated | measured | off by, standard deviations | trials |\n|---|---|---|---|---|")
    for case in root.iter("testcase"):
        for entry in case.iter("property"):
            if not entry.get("name").startswith("rate "):
                continue
            stated, measured, trials, unit = entry.get("value").split()
            stated, measured, trials = float(stated), float(measured), int(trials)
            deviation = (stated * (1 - stated) / trials) ** 0.5 if unit == "share" else stated / trials ** 0.5
            shown = "{:.3%}" if unit == "share" else "{:.3f} " + unit
            print(f"| {entry.get('name')[5:]} | {shown.format(stated)} | {shown.format(measured)} "
                  f"| {(measured - stated) / deviation:+.2f} | {trials:,} |")
    return 1 if ended else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
