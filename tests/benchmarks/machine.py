"""The machine that is measured on."""

from __future__ import annotations

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import screen


def machine() -> dict[str, object]:
    """What `report.machines_said` tells of it, and its load now as both `load_before` and `load_most`."""
    cpu = next(
        line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    packages = ("streamlit", "duckdb", "pandas", "SQLAlchemy", "altair", "XlsxWriter", "openpyxl")
    with screen.chromium() as browser:
        chromium = browser.version
    return {
        "date": date.today().isoformat(),
        "cpu": cpu.strip(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "system": platform.platform(),
        "load_before": (load := round(os.getloadavg()[0], 1)),
        "load_most": load,
        "versions": {"Python": platform.python_version()}
        | {name: version(name) for name in packages}
        | {"Chromium": chromium},
    }
