"""A published dataset, made with the kit's own writer, and a training that is over in seconds."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from contract.manifest import Cost, Manifest
from contract.records import Message, Record, Sample
from contract.uris import Address
from stagekit.destination import LocalDestination
from stagekit.output import Output
from stagekit.schema import columns_of

TRAINING = {
    "method": "lora",
    "learning_rate": 0.02,
    "max_length": 256,
    "epochs": 3,
    "batch_size": 4,
    "accumulation": 1,
    "cpu_threads": 1,  # two threads wait for each other wherever other tests run beside
}
TRAIN = {"training": TRAINING, "eval_every": 12, "save_every": 6}


def sample(number: int, split: str, *turns: tuple[str, str]) -> Sample:
    messages = [Message(role=role, content=content) for role, content in turns]
    return Sample(id=f"s{number:04d}", messages=messages, split=split, source="test")


def real_samples(count: int = 60, test: int = 6) -> list[Sample]:
    """What the installed distributions say of themselves: real text that needs no network."""
    read = ((item.name, (item.read_text("METADATA") or "").partition("\n\n")[2]) for item in metadata.distributions())
    answers = [(name, " ".join(text.split())[:400]) for name, text in sorted(read) if len(text) > 500]
    pairs = [(name, part) for name, text in answers for part in (text[:200], text[200:])][:count]
    return [
        sample(i, "test" if i < test else "train", ("user", f"Tell me about {name}."), ("assistant", part))
        for i, (name, part) in enumerate(pairs)
    ]


def publish(
    folder: Path,
    samples: Sequence[Record],
    content_hash: str | None = None,
    record: type[Record] = Sample,
    files: Mapping[str, str] | None = None,
    cost: Cost | None = None,
) -> str:
    """Write samples, or rows of another type, as a dataset with `files` beside them; returns its URI."""
    place = LocalDestination(Address("file", "", str(folder)))
    output = Output(place, record, 50_000)
    output.write(samples)
    for name, text in (files or {}).items():
        output.add_text(name, text)
    shards, dropped, found_hash = output.close()
    manifest = Manifest(
        stage="publish",
        stage_version=1,
        key=folder.name,
        recipe="demo",
        config={},
        record=record.__name__,
        columns=columns_of(output.schema),
        shards=shards,
        dropped_shards=dropped,
        files=output.files,
        rows_in=len(samples),
        rows_out=len(samples),
        content_hash=content_hash or found_hash,
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:00:00Z",
        cost=cost,
    )
    assert place.commit(manifest.model_dump_json().encode())
    place.discard()
    return str(place.final)
