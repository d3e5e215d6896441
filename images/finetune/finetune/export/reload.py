"""Reading an exported model back in a process of its own, which shares nothing with the one that wrote it.

python -m finetune.export.reload < request > answer
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from contract.failures import BadInput, RemoteTrouble
from finetune.base import load_tokenizer
from finetune.data import Row
from finetune.exported import ANSWER_TOKENS, load_exported
from finetune.loss import mean_loss
from finetune.model import generate, logits, quiet

THREADS = "threads"


@dataclass(frozen=True)
class Read:
    """What a model says: a digest of the logits of each prompt, its answers as token ids, its loss in nats."""

    digests: list[str]
    answers: list[list[int]]
    loss: float


def read_afresh(folder: Path, prompts: Sequence[list[int]], rows: Sequence[Row], device: torch.device) -> Read:
    """What the model in `folder` says in a fresh process, with as many threads as this one has.

    Raises `BadInput` when it cannot be loaded there, `RemoteTrouble` when the process was killed.
    """
    request = {
        "folder": str(folder),
        "prompts": list(prompts),
        "rows": [asdict(row) for row in rows],
        "device": device.type,
        THREADS: torch.get_num_threads(),
    }
    done = subprocess.run(
        [sys.executable, "-m", "finetune.export.reload"],
        input=json.dumps(request),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        raise RemoteTrouble(f"the process that read the model back was ended by signal {-done.returncode}")
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise BadInput(f"the exported model cannot be loaded in a fresh process: {last[:300]}", where=str(folder))
    return Read(**json.loads(done.stdout.splitlines()[-1]))


def digest(scores: torch.Tensor) -> str:
    """A fingerprint that two tensors of logits share only if every bit is the same."""
    return hashlib.sha256(scores.contiguous().numpy().tobytes()).hexdigest()


def answer(request: dict[str, Any]) -> Read:
    """Do in this process what `read_afresh` asked for."""
    torch.set_num_threads(request[THREADS])
    folder = Path(request["folder"])
    model = load_exported(folder)
    digests = [digest(logits(model, prompt)) for prompt in request["prompts"]]
    answers = [generate(model, prompt, ANSWER_TOKENS) for prompt in request["prompts"]]
    rows = [Row(**row) for row in request["rows"]]
    loss = mean_loss(model.to(request["device"]), rows, load_tokenizer(folder).pad_token_id)
    return Read(digests, answers, loss.nats)


if __name__ == "__main__":
    quiet()
    sys.stdout.write(json.dumps(asdict(answer(json.load(sys.stdin)))) + "\n")
