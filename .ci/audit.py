"""Looks the pinned versions up among known vulnerabilities.

Ends with 1 when one is found, when a single package could not be looked up, or when the look-up itself breaks; with 0,
saying so, when the source of advisories cannot be reached from here.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
UNREACHABLE = ("connect", "timed out", "timeout", "proxy", "name resolution", "max retries")
NOT_DONE = "Audit: NOT DONE. The source of advisories cannot be reached from this machine; nothing was checked."


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # Not pip-audit's own --strict: it stops at the first package it cannot look up, and so hides what is behind it.
        command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off"]
        command += ["--timeout=15", "--format=json", f"--output={report}", f"--requirement={REQUIREMENTS}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        packages = json.loads(report.read_text())["dependencies"] if report.exists() else []
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    found = [(package, flaw) for package in packages for flaw in package.get("vulns", [])]
    for package, flaw in found:
        fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    if found:
        return 1
    if packages and len(unknown) == len(packages):
        print(NOT_DONE)
        return 0
    if unknown:
        print(f"Audit: these could not be looked up: {', '.join(unknown)}.")
        return 1
    if packages and done.returncode == 0:
        print(f"Audit: no known vulnerability in {len(packages)} pinned packages.")
        return 0
    if any(sign in done.stderr.lower() for sign in UNREACHABLE):
        print(NOT_DONE)
        return 0
    print(done.stderr.strip())
    return 1


if __name__ == "__main__":
    sys.exit(main())
