"""What a registered model was made from, as tags: each dataset's content hash, recipe, images, code, run."""

import json

from contract.manifest import Manifest
from finetune.judged import Judged
from finetune.trained import REVISION

CONTENT_HASH = "nocturne.content_hash"
LIMIT = 500
"""MLflow allows 5,000 characters in a tag; what is longer than this is not meant for a tag."""


def lineage(parents: dict[str, Manifest], gate: str, judged: Judged | None) -> dict[str, str]:
    """Tags of a model version; `parents` maps the names of register's inputs to their manifests, `gate` is `passed` or
    `failed`."""
    export, samples, train = parents["export"], parents["samples"], parents["train"]
    evaluate = parents["evaluate"].metrics
    training = train.config["training"]
    tags = {
        CONTENT_HASH: export.content_hash,
        "nocturne.dataset": samples.content_hash,
        "nocturne.training": train.content_hash,
        "nocturne.recipe": samples.recipe or "",
        "nocturne.base_model": training["base_model"],
        "nocturne.base_revision": str(train.metrics.get(REVISION, "")),
        "nocturne.method": training["method"],
        "nocturne.gate": gate,
        "nocturne.judged": judged.sentence if judged else "",
        "nocturne.base_loss": f"{evaluate['base_loss']:.6f}",
        "nocturne.tuned_loss": f"{evaluate['tuned_loss']:.6f}",
        "nocturne.images": json.dumps({name: manifest.image for name, manifest in parents.items() if manifest.image}),
        "nocturne.code_version": train.code_version or "",
        "nocturne.train_run": train.links.get("mlflow_run", ""),
    }
    return {name: value[:LIMIT] for name, value in tags.items() if value}
