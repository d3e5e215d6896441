"""Where machine code is kept between processes."""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path


@cache
def code_folder() -> Path:
    """A folder for machine code of exactly these sources: nobody looks whether a function that a kernel calls, in
    another file, is still the one that its code holds.

    It is in the folder that `NUMBA_CACHE_DIR` names, else beside the sources, else in the user's cache folder. A user
    who may write to none of these (a container run under a foreign id) compiles anew in each process.
    """
    package = Path(__file__).parent.parent
    stats = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in sorted(package.rglob("*.py"))]
    name = f"kernels-{hashlib.sha256(repr(stats).encode()).hexdigest()[:12]}"
    named = os.environ.get("NUMBA_CACHE_DIR")
    folders = (Path(named),) if named else (package / "__pycache__", Path.home() / ".cache" / "nocturne")
    for folder in folders:
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder / name, os.W_OK):
            return folder / name
    return Path(_keeper.name)


_keeper = tempfile.TemporaryDirectory(prefix="nocturne-kernels-")
