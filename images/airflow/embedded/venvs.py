"""Make the virtual environments of a machine without containers: one per image, from its lock, with pip.

    python3 images/airflow/embedded/venvs.py            what the demo needs
    python3 images/airflow/embedded/venvs.py --tests    what tests and checks need on top

An environment is made again only when its lock has changed. A `.venv` that is a link is somebody else's and stays as
it is. Standard library only: this runs before anything is installed, and says so itself when Python is too old.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENVS = ROOT / ".venv"
LOGS = ROOT / ".nocturne" / "logs"
# Largest first, so that the two that install at once end together.
SERVICES_AND_STAGES = ("finetune", "airflow", "mlflow", "curate", "generate")
BESIDE = "deepspeed"
"""Packages that one test of the fine-tuning needs and no image has, in a folder of their own: merely installed they
would change what accelerate imports everywhere."""
OLDEST_PYTHON = (3, 11)
STAMP = "nocturne.stamp"
NEEDED_GB = 6
"""Room for all environments with a CPU build of torch and for pip's temporary files."""
SAY_EVERY = 30  # seconds between signs of life


class Trouble(Exception):
    """Something a person has to see to; the message says what."""


def lock_of(name: str) -> Path:
    """The lock that an environment is made from; `dev` checks shared code."""
    return ROOT / "images" / ("shared" if name == "dev" else name) / "requirements.lock"


def models_lock(name: str) -> Path:
    """Packages that an image needs for a file in them; they are installed without their dependencies."""
    return lock_of(name).with_name("models.lock")


def tests_lock() -> Path:
    """What the test suite needs on top of any image's packages."""
    return ROOT / "tests" / "requirements.lock"


def beside_lock() -> Path:
    """What goes into the folder beside, without its dependencies, which the environment for fine-tuning has."""
    return ROOT / "tests" / "finetune" / f"{BESIDE}.lock"


def import_paths(name: str) -> str:
    """The text of the `.pth` file that makes the house's own code importable."""
    own = [] if name in ("dev", "mlflow") else [ROOT / "images" / name]
    return "".join(f"{path}\n" for path in (ROOT / "images" / "shared", *own))


def make(name: str, with_tests: bool) -> str:
    """Bring one environment up to date; returns what was done, in a few words."""
    wanted = stamp_text(name, with_tests)
    stamp = VENVS / name / STAMP
    present = stamp.read_text() if stamp.exists() else ""
    if present.startswith(wanted):
        return "up to date"
    started = time.monotonic()
    locks = [lock_of(name)] + [tests_lock()] * with_tests
    if present and wanted.startswith(present):
        locks = [tests_lock()]
    else:
        create(name)
    install(name, locks)
    if models_lock(name).exists():
        install(name, [models_lock(name)], "--no-deps")
    site_packages(name).joinpath("nocturne.pth").write_text(import_paths(name))
    stamp.write_text(wanted)
    return f"{time.monotonic() - started:.0f} s"


def make_beside() -> str:
    """Bring the folder of packages beside the environment for fine-tuning up to date; returns what was done."""
    folder, wanted = VENVS / BESIDE, fingerprint(beside_lock().read_bytes())
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return "up to date"
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    install("finetune", [beside_lock()], "--no-deps", "--target", str(folder))
    stamp.write_text(wanted)
    return f"{time.monotonic() - started:.0f} s"


def stamp_text(name: str, with_tests: bool) -> str:
    """What an environment was made from: its lock and Python, then the test lock where it was installed too."""
    python = "{}.{}.{}".format(*sys.version_info)
    models = models_lock(name).read_bytes() if models_lock(name).exists() else b""
    base = fingerprint(lock_of(name).read_bytes() + models + python.encode() + import_paths(name).encode())
    return base + (fingerprint(tests_lock().read_bytes()) if with_tests else "")


def fingerprint(data: bytes) -> str:
    """A line that changes with the data."""
    return hashlib.sha256(data).hexdigest() + "\n"


def create(name: str) -> None:
    """An empty environment in place of whatever is there."""
    command = [sys.executable, "-m", "venv", "--clear", str(VENVS / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(
            f"{sys.executable} cannot make a virtual environment: {(done.stdout + done.stderr).strip()}\n"
            "On Debian and Ubuntu, `apt install python3-venv` adds what is missing."
        )


def install(name: str, locks: list[Path], *options: str) -> None:
    """Install locks with pip; its output goes to a log of its own."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"venv-{name}.log"
    pip = [str(VENVS / name / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    requirements = [argument for lock in locks for argument in ("-r", str(lock))]
    with log.open("w") as file:
        done = subprocess.run([*pip, "--no-input", *options, *requirements], stdout=file, stderr=file, check=False)
    if done.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise Trouble(f"pip could not install {name}:\n{last}\nWhole log: {log}. The same command goes on from here.")


def site_packages(name: str) -> Path:
    """Where an environment keeps its packages."""
    return VENVS / name / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"


def check_machine() -> None:
    """Refuse early, in words, what would fail late."""
    if sys.version_info < OLDEST_PYTHON:
        found = "{}.{}".format(*sys.version_info)
        others = [name for minor in range(11, 15) if (name := shutil.which(f"python3.{minor}"))]
        hint = f"make PYTHON={others[0]} ..." if others else "install Python 3.11, then make PYTHON=python3.11 ..."
        raise Trouble(f"Python {found} at {sys.executable}; Nocturne needs 3.11 or newer. Try: {hint}")
    missing = [path for path in (lock_of(name) for name in SERVICES_AND_STAGES) if not path.exists()]
    if missing:
        raise Trouble(f"{missing[0]} is missing. Try: make lock")


def say(text: str) -> None:
    """One line to whoever is waiting."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Make what is missing, two environments at a time; one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tests", action="store_true", help="also what tests and checks need")
    with_tests = parser.parse_args().tests
    names = SERVICES_AND_STAGES + ("dev",) * with_tests
    try:
        check_machine()
        if VENVS.is_symlink():
            say(f".venv is a link to {os.readlink(VENVS)}: used as it is")
            return 0
        make_all(names, with_tests)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


def make_all(names: tuple[str, ...], with_tests: bool) -> None:
    """All environments; silent when nothing had to be done."""
    fresh = [name for name in names if not (VENVS / name / STAMP).exists()]
    if fresh:
        check_room(len(fresh), len(names))
        say(
            f"Setting up {len(fresh)} virtual environments in .venv: once, 5 to 15 minutes. About 5 GB, or twice as\n"
            f"much where pip takes PyTorch with its CUDA libraries. What pip says: {LOGS.relative_to(ROOT)}/venv-*.log"
        )
    going: list[str] = []

    def one(name: str) -> None:
        going.append(name)
        done = make(name, with_tests and name != "mlflow")
        going.remove(name)
        tell(name, done)

    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(one, name) for name in names]
        started = time.monotonic()
        while wait(made, SAY_EVERY).not_done:
            say(f"  {time.monotonic() - started:4.0f} s: pip is at {' and '.join(going)}")
        for each in made:
            each.result()
    if with_tests:
        tell(BESIDE, make_beside())


def tell(name: str, done: str) -> None:
    """A line for what had to be made."""
    if done != "up to date":
        say(f"  .venv/{name:<9} {done:>6}")


def check_room(fresh: int, all_of_them: int) -> None:
    """Refuse before the disk is full: pip would only say so after minutes. Raises `Trouble`."""
    needed, free = NEEDED_GB * fresh / all_of_them, shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise Trouble(f"{free:.1f} GB are free at {ROOT}; setting up takes about {needed:.0f} GB. Make room first")


if __name__ == "__main__":
    sys.exit(main())
