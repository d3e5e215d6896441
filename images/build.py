"""Build Nocturne's images: python3 images/build.py [IMAGE...]

Environment: BASE_IMAGE (what every image starts from), NOCTURNE_IMAGE_TAG [local], DOCKER [docker]. Where pip is
configured with a folder of wheels (find-links), the builds get it too, served on the loopback address while they run.
"""

import argparse
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, STDOUT

ROOT = Path(__file__).resolve().parent.parent
IMAGES = sorted(path.parent.name for path in (ROOT / "images").glob("*/Dockerfile"))

DOCKER = os.environ.get("DOCKER", "docker")
# Always the same, because a build argument that changes would install every package again.
WHEEL_PORT = 38765


class Wheels(SimpleHTTPRequestHandler):
    """Serves a folder of wheels without a line of log for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def output(*command: str) -> str:
    """A command's first line of output; empty where it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextlib.contextmanager
def wheel_arguments() -> Iterator[list[str]]:
    """Build arguments that let pip see the host's own folder of wheels; none where there is no such folder."""
    folder = output(sys.executable, "-m", "pip", "config", "get", "global.find-links")
    if not Path(folder or "/none").is_dir():
        yield []
        return
    server = ThreadingHTTPServer(("127.0.0.1", WHEEL_PORT), functools.partial(Wheels, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield ["--network", "host", "--build-arg", f"PIP_FIND_LINKS=http://127.0.0.1:{server.server_port}/"]
    server.shutdown()


def build(image: str, extra: list[str]) -> None:
    """Build one image. Raises CalledProcessError, with what the build printed, when it fails."""
    tag = os.environ.get("NOCTURNE_IMAGE_TAG", "local")
    arguments = [f"CODE_VERSION={output('git', 'describe', '--always', '--dirty') or 'unknown'}"]
    if base := os.environ.get("BASE_IMAGE"):
        arguments.append(f"BASE_IMAGE={base}")
    context = "." if image == "airflow" else "images"
    command = [DOCKER, "build", "-f", f"images/{image}/Dockerfile"]
    command += ["-t", f"nocturne/{image}:{tag}", *extra]
    command += [word for argument in arguments for word in ("--build-arg", argument)]
    started = time.monotonic()
    subprocess.run([*command, context], cwd=ROOT, stdout=PIPE, stderr=STDOUT, text=True, check=True)
    print(f"nocturne/{image}:{tag}  {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    """Build the named images, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"which [all]: {', '.join(IMAGES)}")
    names = parser.parse_args().images or IMAGES
    if unknown := set(names) - set(IMAGES):
        parser.error(f"no such image: {', '.join(sorted(unknown))}; there are {', '.join(IMAGES)}")
    if not shutil.which(DOCKER):
        print(f"there is no command {DOCKER}: install Docker Engine; `make demo` needs none", file=sys.stderr)
        return 1
    with wheel_arguments() as extra:
        for image in names:
            try:
                build(image, extra)
            except subprocess.CalledProcessError as failure:
                print(f"{failure.stdout}\nnocturne/{image} could not be built: see above", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
