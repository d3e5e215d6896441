"""After the dataset stands, new or reused: the registry must hold what it says, even on a new tracking server."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contract.config.finetune import RegisterConfig
from contract.failures import BadInput
from contract.manifest import Manifest
from contract.uris import Address, parse_uri
from stagekit.dataset import Dataset, open_dataset

if TYPE_CHECKING:
    from finetune.judged import Gate
    from finetune.register.registry import Entry

CARD = "README.md"
MOST_CHARACTERS = 5_000
"""MLflow's own limit for a version's description."""


def conclude(address: Address, manifest: Manifest) -> None:
    """Register again where the registry has lost the version, a look-up where it has not; the same for the hub."""
    from finetune.tracking import ping, tracking_uri

    config = RegisterConfig.model_validate(manifest.config)
    if not (tracking_uri() or config.hub):
        return
    inputs = {parent.input: _open(parent.uri) for parent in manifest.parents}
    entry = entry_of(config, inputs)
    if tracking_uri():
        ping()
        from finetune.register.registry import ensure_registered

        ensure_registered(entry)
    if config.hub and entry.champion:
        from finetune.register.hub import push_to_hub
        from finetune.trained import MODEL

        export = inputs["export"]
        push_to_hub(export.folder(MODEL), config.hub, config.hub_private, export.manifest.content_hash, entry.log)


def entry_of(config: RegisterConfig, inputs: Mapping[str, Dataset]) -> "Entry":
    """What there is to register, from the inputs of the stage."""
    from finetune.judged import JUDGE, read_judged
    from finetune.register.lineage import lineage
    from finetune.register.registry import Entry
    from finetune.winner import winner

    made_from = {**inputs, "train": winner(inputs["train"])}
    gate = str(gate_among(config, inputs))
    tags = lineage(
        {name: dataset.manifest for name, dataset in made_from.items()}, gate, read_judged(inputs.get(JUDGE))
    )
    return Entry(
        name=config.model_name or inputs["samples"].manifest.recipe or "nocturne",
        tags=tags,
        champion=is_champion(config, gate),
        approved_by=config.approved_by if config.champion == "approval" else "",
        upload=lambda: _upload(inputs),
        describe=lambda: _card(inputs["export"]),
    )


def gate_among(config: RegisterConfig, inputs: Mapping[str, Dataset]) -> "Gate":
    """The gate of `evaluate` and of the judge, if one is asked for. Raises `BadConfig` where none judged."""
    from finetune.judged import JUDGE, gate_of, read_judged

    evaluated = str(inputs["evaluate"].manifest.metrics["gate"])
    return gate_of(evaluated, config.min_win_rate, read_judged(inputs.get(JUDGE)))


def is_champion(config: RegisterConfig, gate: str) -> bool:
    """Whether the alias `champion` is this model's: by the gate, or by a person's word."""
    return {"gate": gate == "passed", "approval": bool(config.approved_by), "never": False}[config.champion]


def _upload(inputs: Mapping[str, Dataset]) -> str:
    """The slow part, with the slow imports."""
    from finetune.data import read_splits
    from finetune.probes import questions
    from finetune.register.upload import upload
    from finetune.tracking import open_run
    from finetune.trained import MODEL, Trained

    trained = Trained(inputs["train"])
    samples = inputs["samples"]
    prompts = [ids for _, ids in questions(trained.tokenizer, read_splits(samples)[1], trained.training.max_length)]
    recipe = samples.manifest.recipe or "nocturne"
    run = open_run(recipe, f"register-{inputs['export'].manifest.key[:8]}", trained.known_run())
    assert run, "asked for only where there is a tracking server"
    uri = upload(inputs["export"].folder(MODEL), run, prompts[:4])
    run.finish()
    return uri


def _card(export: Dataset) -> str:
    """The model's card without the head that the model hub reads, whole paragraphs up to what MLflow stores."""
    from finetune.trained import MODEL

    text = (export.folder(MODEL) / CARD).read_text(encoding="utf-8")
    text = text.partition("\n---\n")[2].strip() if text.startswith("---\n") else text.strip()
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rpartition("\n\n")[0]


def _open(uri: str) -> Dataset:
    dataset = open_dataset(parse_uri(uri))
    if dataset is None:
        raise BadInput("an input of the registration is no longer there", where=uri, hint="run the stages before again")
    return dataset
