"""`make test`: every test folder in the virtual environment that it is for, then one table over all of them.

    python tests/run.py             all folders
    python tests/run.py curate      only these

Two folders run side by side where there are two cores, since most of a test's time is somebody else's start-up; what a
folder printed is shown when it has ended. It goes on after failures and fails at the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A folder named after an image runs in that image's environment; all others talk to stages from outside.
OWN_VENV = ("curate", "generate", "finetune", "airflow")
NOT_TESTS = ("data", "__pycache__")
LONGEST_FIRST = ("containers", "finetune", "generate", "house", "curate")  # so that both lanes end together
# Their tests measure how soon a process ends, so that a neighbour may not take its time away.
ALONE = ("airflow", "embedded")
LANES = min(2, os.cpu_count() or 1)


@dataclass
class Ended:
    """One folder's tests after they ran."""

    folder: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    reasons: Counter[str]
    exit_code: int


def folders() -> list[str]:
    """Every folder below tests/ that holds tests, those that take longest first."""
    found = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    first = [name for name in LONGEST_FIRST if name in found]
    return first + sorted(found - set(first) - set(NOT_TESTS))


def run_all(chosen: list[str], reports: Path) -> list[Ended]:
    """Folders that bear a neighbour in two lanes, then the others one by one."""
    together = [folder for folder in chosen if folder not in ALONE]
    with ThreadPoolExecutor(LANES) as lanes:
        ended = list(lanes.map(lambda folder: run(folder, reports / f"{folder}.xml"), together))
    return ended + [run(folder, reports / f"{folder}.xml") for folder in chosen if folder in ALONE]


def run(folder: str, report: Path) -> Ended:
    """Run one folder's tests, and print what they printed."""
    python = ROOT / ".venv" / (folder if folder in OWN_VENV else "dev") / "bin" / "python"
    started = time.monotonic()
    command = [python, "-m", "pytest", f"tests/{folder}", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"\ntests/{folder}\n{done.stdout}", end="", flush=True)
    return read_report(folder, report, time.monotonic() - started, done.returncode)


def read_report(folder: str, report: Path, seconds: float, exit_code: int) -> Ended:
    """Counts and reasons from pytest's own report; without one, the folder counts as one failure."""
    if not report.exists():
        return Ended(folder, 0, 1, 0, seconds, Counter(), exit_code)
    cases = ElementTree.parse(report).getroot().findall(".//testcase")
    skips = [skip for case in cases for skip in case.findall("skipped")]
    failed = sum(bool(case.findall("failure") or case.findall("error")) for case in cases)
    reasons = Counter(skip.get("message", "") for skip in skips)
    return Ended(folder, len(cases) - failed - len(skips), failed, len(skips), seconds, reasons, exit_code)


def show(results: list[Ended]) -> None:
    """The table, and why anything was skipped."""
    print(f"\n{'folder':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}\n" + "-" * 48)
    for ended in results:
        mark = "  <-" if ended.exit_code else ""
        counts = f"{ended.passed:>8}{ended.failed:>8}{ended.skipped:>9}{ended.seconds:>9.0f}"
        print(f"{ended.folder:<14}{counts}{mark}")
    total = [sum(getattr(ended, name) for ended in results) for name in ("passed", "failed", "skipped", "seconds")]
    print("-" * 48 + "\n" + "{:<14}{:>8}{:>8}{:>9}{:>9.0f}".format("all", *total))
    for ended in results:
        for reason, number in ended.reasons.items():
            print(f"skipped in {ended.folder}: {number} x {reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=f"which [all]: {', '.join(folders())}")
    chosen = parser.parse_args().folders or folders()
    if unknown := set(chosen) - set(folders()):
        parser.error(f"no tests in {', '.join(sorted(unknown))}; there are {', '.join(folders())}")
    with tempfile.TemporaryDirectory() as reports:
        started = time.monotonic()
        results = run_all(chosen, Path(reports))
    show(results)
    print(f"{time.monotonic() - started:.0f} s in all")
    return 1 if any(ended.exit_code or ended.failed for ended in results) else 0


if __name__ == "__main__":
    sys.exit(main())
