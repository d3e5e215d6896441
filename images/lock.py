"""Resolve each pyproject.toml's direct dependencies into a requirements.lock beside it.

    python3 images/lock.py                 resolve every lock anew (pip, needs the package index)
    python3 images/lock.py curate tests    only these
    python3 images/lock.py --check         say offline whether a lock is stale or two locks clash

A lock holds exact versions and nothing else: no addresses, no hashes, no local version such as +cpu, so that one lock
serves every index and every build of torch. What the test suite needs is installed on top of each image's packages,
so `tests` is resolved last, under the versions of the images, and leaves out what they do not agree on.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The Linux builds of torch with CUDA pin these themselves, by ==; its CPU builds do without them.
PINNED_BY_TORCH = re.compile(r"nvidia-|cuda-|triton$")
HEADER = """\
# Exact versions of everything that {source} needs; made by `make lock`, do not edit.
# Python {python}, {platform}. torch's own CUDA packages are left out: torch pins them itself.
# dependencies: {digest}
"""

Pins = dict[str, str]


def projects() -> dict[str, Path]:
    """Every lockable folder by name, `tests` last because its lock depends on all the others."""
    found = {path.parent.name: path.parent for path in sorted((ROOT / "images").glob("*/pyproject.toml"))}
    return found | {"tests": ROOT / "tests"}


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(folder: Path) -> list[str]:
    """The direct dependencies that the folder's pyproject.toml names, sorted."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return sorted(project["dependencies"])


def digest(folder: Path) -> str:
    """What a lock's header records, to tell later whether the dependencies have changed since."""
    return hashlib.sha256("\n".join(dependencies(folder)).encode()).hexdigest()[:16]


def read_lock(folder: Path) -> Pins:
    """The pins of a lock; empty where there is none yet."""
    path = folder / "requirements.lock"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def resolve(requirements: list[str], constraints: Pins) -> Pins:
    """Ask pip what it would install into an empty environment."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as limits:
        limits.writelines(f"{name}=={version}\n" for name, version in constraints.items())
        limits.flush()
        options = f"install --dry-run --ignore-installed --quiet --report - --constraint {limits.name}".split()
        command = [sys.executable, "-m", "pip", *options, *requirements]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    items = [entry["metadata"] for entry in json.loads(done.stdout)["install"]]
    return {normal(item["name"]): item["version"].partition("+")[0] for item in items}


def agreed(locks: list[Pins]) -> tuple[Pins, set[str]]:
    """Split what several locks pin into the versions they share and the names they pin differently."""
    versions: dict[str, set[str]] = {}
    for pins in locks:
        for name, version in pins.items():
            versions.setdefault(name, set()).add(version)
    same = {name: min(found) for name, found in versions.items() if len(found) == 1}
    return same, versions.keys() - same.keys()


def lock(name: str, folder: Path) -> None:
    """Resolve one folder and write its requirements.lock."""
    images = [read_lock(path) for other, path in projects().items() if other != "tests"]
    limits, disputed = agreed(images) if name == "tests" else ({}, set())
    pins = resolve(dependencies(folder), limits)
    kept = {n: v for n, v in pins.items() if n not in disputed and not PINNED_BY_TORCH.match(n)}
    python = "{}.{}".format(*sys.version_info)
    source = (folder / "pyproject.toml").relative_to(ROOT)
    text = HEADER.format(source=source, python=python, platform=sys.platform, digest=digest(folder))
    text += "".join(f"{n}=={v}\n" for n, v in sorted(kept.items()))
    (folder / "requirements.lock").write_text(text)
    print(f"{source.parent}/requirements.lock: {len(kept)} packages")


def problems() -> list[str]:
    """Every reason why the committed locks cannot be used as they are."""
    found = []
    tests = read_lock(ROOT / "tests")
    for name, folder in projects().items():
        path = folder / "requirements.lock"
        if not path.exists():
            found.append(f"{path.relative_to(ROOT)} is missing")
        elif f"# dependencies: {digest(folder)}\n" not in path.read_text():
            found.append(f"{path.relative_to(ROOT)} is older than the dependencies in {folder.name}/pyproject.toml")
        clashes = {n: (v, tests[n]) for n, v in read_lock(folder).items() if tests.get(n, v) != v}
        found += [f"{name} pins {n}=={image} but tests pins {n}=={test}" for n, (image, test) in clashes.items()]
    return found


def main() -> int:
    """Resolve or check, and say what is wrong with the locks afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to resolve [all]: {', '.join(projects())}")
    parser.add_argument("--check", action="store_true", help="resolve nothing; exit 1 if a lock is stale")
    options = parser.parse_args()
    if unknown := set(options.names) - projects().keys():
        parser.error(f"no such lock: {', '.join(sorted(unknown))}; there are {', '.join(projects())}")
    if not options.check:
        for name, folder in projects().items():
            if name in (options.names or projects()):
                try:
                    lock(name, folder)
                except subprocess.CalledProcessError:
                    print(f"pip cannot resolve {name}, see above; its lock is unchanged", file=sys.stderr)
                    return 1
    for problem in (found := problems()):
        print(f"{problem}: run `make lock`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
