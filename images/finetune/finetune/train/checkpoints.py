"""Checkpoints that survive a kill: written whole to the job's scratch store, and taken up only when they match.

transformers resumes from whatever it finds: a changed learning rate is ignored, a missing optimizer file goes
unnoticed. So each checkpoint carries a manifest, written last, with the identity of the training and every file's
SHA-256; one that is incomplete, damaged or of another training is refused, and the log says which setting differs.
"""

import fnmatch
import json
import logging
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagekit.checksums import file_sha256
from stagekit.store import Store

COMPLETE = "complete.json"
FOLDER = "checkpoint-"
STATES = {
    "none": ("optimizer.pt", "scheduler.pt"),
    "fsdp": ("optimizer_0/.metadata", "scheduler.pt"),
    "deepspeed": ("latest", "scheduler.pt"),
}
OF_EACH = {"none": (), "fsdp": (), "deepspeed": ("model_states.pt", "optim_states.pt")}
"""What each process writes of its own share; a bfloat16 training sets another word before the name."""
WEIGHTS = re.compile(r"\.safetensors$|^pytorch_model_fsdp_0/\.metadata$|_model_states\.pt$")

Identity = dict[str, Any]
"""All that must be equal for a checkpoint to be taken up: dotted name -> plain value."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint in the store. `tokens` were seen so far; `best` means the lowest loss."""

    name: str
    step: int
    tokens: int
    identity: Identity
    best: bool
    files: dict[str, str]


def identity_of(parts: dict[str, Any], prefix: str = "") -> Identity:
    """Nested settings as dotted names with plain values, so that a difference can be named."""
    flat: Identity = {}
    for name, value in parts.items():
        inner = identity_of(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        flat |= inner
    return dict(json.loads(json.dumps(flat)))


def needed(processes: int, sharding: str) -> tuple[str, ...]:
    """The files, as patterns, without any of which the trainer would go on with other numbers, or not at all."""
    random = [f"rng_state_{number}.pth" for number in range(processes)] if processes > 1 else ["rng_state.pth"]
    shares = [f"*zero_pp_rank_{number}_mp_*_{kind}" for kind in OF_EACH[sharding] for number in range(processes)]
    return (*STATES[sharding], *shares, *random, "trainer_state.json")


def objection(checkpoint: Checkpoint, identity: Identity, wanted: Sequence[str]) -> str | None:
    """Why a checkpoint must not be taken up by the training of this identity, which needs these files; or None."""
    missing = [pattern for pattern in wanted if not fnmatch.filter(checkpoint.files, pattern)]
    missing += [] if any(WEIGHTS.search(name) for name in checkpoint.files) else ["the weights"]
    if missing:
        return f"incomplete: {', '.join(missing)} missing"
    theirs = checkpoint.identity
    names = sorted(name for name in theirs.keys() | identity.keys() if theirs.get(name) != identity.get(name))
    differences = [f"{name} was {theirs.get(name)!r} and is {identity.get(name)!r}" for name in names]
    return f"of another training: {'; '.join(differences)}" if differences else None


def save(store: Store, folder: Path, step: int, tokens: int, identity: Identity, best: bool) -> None:
    """Copy a checkpoint folder to the store, manifest last, and forget older ones that are not the best."""
    name = f"{FOLDER}{step:08d}-{uuid.uuid4().hex[:8]}"
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            relative = path.relative_to(folder).as_posix()
            files[relative] = file_sha256(str(path))
            store.upload(f"{name}/{relative}", path)
    record = {"step": step, "tokens": tokens, "identity": identity, "best": best, "files": files}
    store.write(f"{name}/{COMPLETE}", json.dumps(record).encode())
    _prune(store, name, best)


def find(store: Store, identity: Identity, wanted: Sequence[str], log: logging.Logger) -> list[Checkpoint]:
    """Complete checkpoints of this training, newest first; what is refused is logged with the reason."""
    found = []
    for checkpoint in _complete(store):
        reason = objection(checkpoint, identity, wanted)
        if reason is None:
            found.append(checkpoint)
        else:
            log.warning("checkpoint refused", extra={"fields": {"checkpoint": checkpoint.name, "reason": reason}})
    return sorted(found, key=lambda checkpoint: checkpoint.step, reverse=True)


def restore(store: Store, found: list[Checkpoint], target: Path, log: logging.Logger) -> Checkpoint | None:
    """Bring the newest whole checkpoint (and the best one it names) into `target`; None where there is none."""
    for checkpoint in found:
        if not _fetch(store, checkpoint, target):
            log.warning("checkpoint refused", extra={"fields": {"checkpoint": checkpoint.name, "reason": "damaged"}})
            continue
        best = next((other for other in found if other.best and other.step <= checkpoint.step), None)
        if best and best is not checkpoint and not _fetch(store, best, target):
            continue
        _point_to_best(target, checkpoint, best)
        return checkpoint
    return None


def local_folder(target: Path, step: int) -> Path:
    """Where the trainer keeps the checkpoint of a step."""
    return target / f"{FOLDER}{step}"


def _complete(store: Store) -> list[Checkpoint]:
    checkpoints = []
    for entry in store.list(FOLDER):
        name, _, file = entry.name.partition("/")
        if file == COMPLETE and (data := store.read(entry.name)):
            checkpoints.append(Checkpoint(name=name, **json.loads(data)))
    return checkpoints


def _fetch(store: Store, checkpoint: Checkpoint, target: Path) -> bool:
    folder = local_folder(target, checkpoint.step)
    folder.mkdir(parents=True, exist_ok=True)
    for name, sha256 in checkpoint.files.items():
        path = store.fetch(f"{checkpoint.name}/{name}", target / "fetched")
        if path is None or file_sha256(str(path)) != sha256:
            shutil.rmtree(folder)
            return False
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return True


def _point_to_best(target: Path, checkpoint: Checkpoint, best: Checkpoint | None) -> None:
    """The trainer's state names its best checkpoint by an absolute path of the process that died."""
    path = local_folder(target, checkpoint.step) / "trainer_state.json"
    state = json.loads(path.read_text())
    state["best_model_checkpoint"] = str(local_folder(target, best.step)) if best else None
    path.write_text(json.dumps(state, indent=2, sort_keys=True))


def _prune(store: Store, newest: str, newest_is_best: bool) -> None:
    keep = {newest}
    if not newest_is_best:
        bests = [checkpoint for checkpoint in _complete(store) if checkpoint.best]
        keep |= {checkpoint.name for checkpoint in sorted(bests, key=lambda c: c.step)[-1:]}
    for entry in list(store.list(FOLDER)):
        name = entry.name.partition("/")[0]
        if name not in keep and name < newest:
            store.delete(entry.name)
