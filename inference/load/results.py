"""Report as JSON: what was tried, where, and what was found."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from inference.load.reports import Phase, Report
from inference.load.scenarios import Scenarios

FORMAT = 1
_PACKAGES = ("grpcio", "tritonclient", "numpy", "onnxruntime", "nvidia-pytriton", "mlcommons-loadgen")


def write_result(
    report: Report, path: Path, *, scenarios: Scenarios, target: str, server: Mapping[str, str], when: datetime
) -> None:
    """Write a report with everything that one has to know to repeat it.

    Args:
        report: what was found.
        path: of the file.
        scenarios: what was tried.
        target: the part of the scenarios that was used.
        server: what the server says of itself.
        when: it was begun, aware.
    """
    document = {
        "format": FORMAT,
        "scenario": report.scenario,
        "model": report.model,
        "when": when.isoformat(timespec="seconds"),
        "holds": report.holds,
        "findings": [{**asdict(finding), "holds": finding.holds} for finding in report.findings],
        "numbers": dict(report.numbers),
        "faults": dict(report.faults),
        "phases": [_phase(phase) for phase in report.phases],
        "target": target,
        "plan": scenarios.model_dump(mode="json"),
        "server": dict(server),
        "machine": machine(),
    }
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", "utf-8")


def machine() -> Mapping[str, object]:
    """Return what this machine is and what runs on it; no name of it."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _phase(phase: Phase) -> Mapping[str, object]:
    return {
        "name": phase.name,
        "seconds": phase.run.seconds,
        **asdict(phase.figures),
        "memory_mib": [[round(when, 1), round(mebibytes, 2)] for when, mebibytes in phase.memory],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
