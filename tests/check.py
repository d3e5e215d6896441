"""`make check`: everything that can be said about the tree without running it. Changes nothing; reports all."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "dev" / "bin"
PACKAGES = ("shared", "curate", "generate", "finetune", "airflow")
PATHS = os.pathsep.join(str(ROOT / path) for path in (*(f"images/{name}" for name in PACKAGES), "plugins"))
TYPED = (
    "images/shared/contract",
    "images/shared/stagekit",
    *(f"images/{name}/{name}" for name in ("curate", "generate", "finetune")),
    "images/airflow/embedded",
    "plugins/airflow_side",
)
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", (f"{BIN}/ruff", "check", "--no-cache", ".")),
    ("format", (f"{BIN}/ruff", "format", "--check", "--no-cache", ".")),
    ("types", (f"{BIN}/mypy", *TYPED)),
    ("import rules", (f"{BIN}/lint-imports", "--no-cache")),
    ("locks", (f"{BIN}/python", "images/lock.py", "--check")),
    ("generated docs", (f"{BIN}/python", "docs/generate.py", "--check")),
)


def main() -> int:
    """Run every check; print what failed in full, and one line for each."""
    lines, failed = [], 0
    for name, command in CHECKS:
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": PATHS}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            failed += 1
            print(f"--- {name}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        lines.append(f"{name:<16} {'failed' if done.returncode else 'ok':<7} {time.monotonic() - started:5.1f} s")
    print("\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
