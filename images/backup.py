"""Copies of all that the compose stack keeps: its databases, its store and its settings.

python3 images/backup.py save FOLDER [ENV_FILE]       into a folder that is not there yet
python3 images/backup.py restore FOLDER [ENV_FILE]    into a stack that keeps nothing yet

Both want the stack down (`make down`), since a copy of a database that is being written to is none. Logs of tasks and
models laid out for serving are left out.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from stack import containers, docker, service, settings

VOLUMES = ("postgres", "s3")
ENV = "env"
SUMS = "SHA256SUMS"
FILES = (ENV, *(f"{name}.tar" for name in VOLUMES))


class Trouble(Exception):
    """Something a person has to see to first; the message says what."""


def main(command: str, folder: Path, env_file: Path) -> int:
    """Save or restore; returns the exit status."""
    try:
        save(folder, env_file) if command == "save" else restore(folder, env_file)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def save(folder: Path, env_file: Path) -> None:
    """One archive for each volume, the settings, checksums of all; the folder gets its name when all of it is there."""
    if folder.exists():
        raise Trouble(f"{folder} is there already. Name a new folder")
    if not env_file.exists():
        raise Trouble(f"there is no {env_file}, so there is no stack to copy")
    known = settings(env_file)
    check_down(known["COMPOSE_PROJECT_NAME"])
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    for name in VOLUMES:
        volume = volume_of(known, name)
        if not exists(volume):
            raise Trouble(f"there is no volume {volume}: was this stack ever up?")
        with (part / f"{name}.tar").open("wb") as file:
            tar(known, f"{volume}:/data:ro", "--create", stdout=file)
    shutil.copyfile(env_file, part / ENV)
    (part / ENV).chmod(0o600)
    (part / SUMS).write_text("".join(f"{sha256(part / name)}  {name}\n" for name in FILES))
    part.rename(folder)
    print(
        f"{folder}: {', '.join(f'{path.name} {path.stat().st_size / 1e6:.0f} MB' for path in sorted(folder.iterdir()))}"
    )


def restore(folder: Path, env_file: Path) -> None:
    """Fill new volumes from a copy, whose settings must be those of the stack: its passwords are in the databases."""
    check_whole(folder)
    if env_file.exists() and env_file.read_text() != (folder / ENV).read_text():
        raise Trouble(f"{env_file} differs from the copy's settings. Move it away, and the copy's take its place")
    known = settings(folder / ENV)
    check_down(known["COMPOSE_PROJECT_NAME"])
    if there := [volume for name in VOLUMES if exists(volume := volume_of(known, name))]:
        raise Trouble(f"{' and '.join(there)} hold data already. To forget it: make down VOLUMES=1")
    try:
        for name in VOLUMES:
            fill(known, name, folder / f"{name}.tar")
    except Trouble:  # half a copy would be taken for the stack's data by the next start
        docker("volume", "rm", *(volume for name in VOLUMES if exists(volume := volume_of(known, name))))
        raise
    if not env_file.exists():
        shutil.copyfile(folder / ENV, env_file)
        env_file.chmod(0o600)
    print(f"restored {', '.join(VOLUMES)} from {folder}. Next: make up")


def fill(known: dict[str, str], name: str, archive: Path) -> None:
    """Make a volume as compose would, and unpack an archive into it. Raises `Trouble`."""
    volume, project = volume_of(known, name), known["COMPOSE_PROJECT_NAME"]
    labels = (f"com.docker.compose.project={project}", f"com.docker.compose.volume={name}")
    docker("volume", "create", *(word for label in labels for word in ("--label", label)), volume)
    with archive.open("rb") as file:
        tar(known, f"{volume}:/data", "--extract", stdin=file)


def check_whole(folder: Path) -> None:
    """Raises `Trouble` for a folder that is not what was saved; tar takes an archive that was cut off for its end."""
    if missing := [name for name in (*FILES, SUMS) if not (folder / name).is_file()]:
        raise Trouble(f"{folder} is no copy: it lacks {', '.join(missing)}")
    sums = (folder / SUMS).read_text().splitlines()
    if changed := [name for name in FILES if f"{sha256(folder / name)}  {name}" not in sums]:
        raise Trouble(f"{' and '.join(changed)} in {folder} changed since they were saved. Take another copy")


def sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_down(project: str) -> None:
    """Raises `Trouble` while any container of the stack runs."""
    running = sorted(service(one) for one in containers(project) if one["State"]["Running"])
    if running:
        raise Trouble(f"{', '.join(running)} of {project} run. First: make down")


def volume_of(known: dict[str, str], name: str) -> str:
    """What compose calls a volume of the stack."""
    return f"{known['COMPOSE_PROJECT_NAME']}_{name}"


def exists(volume: str) -> bool:
    """Whether the engine has such a volume."""
    return volume in docker("volume", "ls", "--quiet", "--filter", f"name={volume}").split()


def tar(known: dict[str, str], mount: str, action: str, **streams: object) -> None:
    """Pack or unpack a volume, owners and all, through a container that has nothing else. Raises `Trouble`."""
    image = f"nocturne/airflow:{known.get('NOCTURNE_IMAGE_TAG', 'local')}"
    options = ("--rm", "--interactive", "--network", "none", "--user", "0", "--entrypoint", "tar", "--volume", mount)
    words = ("docker", "run", *options, image, action, "--sparse", "--numeric-owner", "--directory", "/data")
    what = ("--file", "-", ".") if action == "--create" else ("--file", "-")
    if subprocess.run([*words, *what], check=False, **streams).returncode:  # type: ignore[call-overload]
        raise Trouble(f"the volume could not be copied: see above. It needs the image {image} (make images)")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in ("save", "restore") or not sys.argv[2]:
        sys.exit("usage: make backup TO=folder, or make restore FROM=folder")
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) == 4 else ".env")))
