"""Whether what is installed is what was pinned, and whether a fault is known of it: `python -m tests.checks.pinned_packages`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINS = (ROOT / "constraints.txt", ROOT / "requirements-alone.txt")
OF_THE_ENVIRONMENT = {"pip", "setuptools", "wheel"}
"""Made with the environment by Python itself, in the versions that came with it; the dashboard imports none of them."""

SERVICE = "https://api.osv.dev/v1/query"
"""Knows the published faults of packages, and is told names and versions. That of the package index answers “not found” where a
bank has a mirror of it, which pip-audit takes for a package without faults."""
SECONDS = 60
"""For all questions; each has five. A network that swallows them is no reason to wait longer."""


def name_of(written: str) -> str:
    """A package's name as all compare it: `Typing_Extensions` is `typing-extensions`."""
    return re.sub(r"[-_.]+", "-", written).lower()


def pinned(files: Iterable[Path] = PINS) -> dict[str, str]:
    """The version of each package, by its name. Raises ValueError for a line that pins no one version."""
    found = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            said = line.partition("#")[0].strip()
            if not said:
                continue
            name, is_exact, version = said.partition("==")
            if not is_exact or not re.fullmatch(r"[\w.+!-]+", version):
                raise ValueError(f"{file.name}: “{said}” pins no one version; write name==version.")
            found[name_of(name)] = version
    return found


def installed() -> dict[str, str]:
    """The version of each package that this Python finds, by its name."""
    return {name_of(found.name): found.version for found in distributions()}


def differences(installed: Mapping[str, str], pins: Mapping[str, str]) -> list[str]:
    """A sentence for each package that is installed without a pin, or in another version than its own."""
    said = []
    for name, version in sorted(installed.items()):
        if name not in pins and name not in OF_THE_ENVIRONMENT:
            said.append(f"{name} {version} is installed, and constraints.txt does not pin it.")
        elif pins.get(name, version) != version:
            said.append(f"{name} {version} is installed, and constraints.txt pins {pins[name]}.")
    return said


def known_faults(files: Iterable[Path] = PINS, service: str = SERVICE) -> tuple[list[str], str]:
    """A sentence for each fault that the service knows of a pinned version; and why it could not be asked, empty if it was."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url", service]
    # The pins name everything, so nothing is to be resolved, and no index to be asked.
    command += ["--format", "json", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "5"]
    command += [part for file in files for part in ("--requirement", str(file))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [], f"no answer within {SECONDS} seconds"
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return [], textwrap.shorten(said, 100, placeholder=" …")
    # What it leaves out it says only here: it ends well, and says that it found nothing.
    if left_out := [package["name"] for package in packages if "skip_reason" in package]:
        return [], f"it left out {', '.join(left_out)}"
    return [
        f"{package['name']} {package['version']} has the known fault {fault['id']}"
        + (f"; mended in {', '.join(fault['fix_versions'])}." if fault["fix_versions"] else "; not mended yet.")
        for package in packages
        for fault in package["vulns"]
    ], ""


def main(service: str = SERVICE) -> int:
    """Says what was found; 1 where anything was, 0 also where the service could not be asked."""
    found = differences(installed(), pinned())
    faults, why_not = known_faults(service=service)
    print(*found, *faults, sep="\n", end="\n" if found or faults else "")
    if why_not:
        print(
            f"Known faults: NOT looked for, because {service} could not be asked ({why_not}). "
            "Run make check where the internet can be reached."
        )
    if not found and not faults:
        print("Packages: each is installed as it is pinned" + ("." if why_not else ", and no fault is known of any."))
    return 1 if found or faults else 0


if __name__ == "__main__":
    sys.exit(main())
