"""`make test`: every test folder in the virtual environment that it is for, then one table over all of them.

    python tests/run.py             all folders
    python tests/run.py curate      only these

It goes on after failures and fails at the end.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A folder named after an image runs in that image's environment; all others talk to stages from outside.
OWN_VENV = ("curate", "generate", "finetune", "airflow")
NOT_TESTS = ("data", "__pycache__")


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
    """Every folder below tests/ that holds tests; quick ones of the core first."""
    found = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    first = [name for name in ("contract", "stagekit", "architecture") if name in found]
    return first + sorted(found - set(first) - set(NOT_TESTS))


def run(folder: str, report: Path) -> Ended:
    """Run one folder's tests, their output going straight through."""
    python = ROOT / ".venv" / (folder if folder in OWN_VENV else "dev") / "bin" / "python"
    started = time.monotonic()
    command = [python, "-m", "pytest", f"tests/{folder}", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(command, cwd=ROOT, check=False)
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
    results = []
    with tempfile.TemporaryDirectory() as reports:
        for folder in chosen:
            print(f"\ntests/{folder}", flush=True)
            results.append(run(folder, Path(reports) / f"{folder}.xml"))
    show(results)
    return 1 if any(ended.exit_code or ended.failed for ended in results) else 0


if __name__ == "__main__":
    sys.exit(main())
