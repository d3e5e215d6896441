"""Plain reference readings, written without the code they check, and small datasets for curate's tests."""

import re
from collections.abc import Iterable

import pyarrow as pa

from contract.manifest import MANIFEST, Manifest, Parent
from contract.records import Decision, Document, Message, Record, Sample, conversation_key
from contract.uris import parse_uri
from stagekit.dataset import Dataset, open_dataset
from stagekit.hashing import ContentHash
from stagekit.schema import arrow_schema, columns_of, to_batch
from stagekit.shards import ShardWriter


def word_sets(text: str, n: int) -> set[tuple[str, ...]]:
    """Word n-grams as `re` finds them; a shorter text is one n-gram of all its words."""
    words = re.findall(r"\w+", text.lower())
    if len(words) < n:
        return {tuple(words)} if words else set()
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def similarity(a: str, b: str, n: int = 5) -> float:
    x, y = word_sets(a, n), word_sets(b, n)
    return len(x & y) / max(len(x | y), 1)


def document(number: int | str, text: str, **fields) -> Document:
    return Document(id=f"doc-{number}", text=text, **fields)


def sample(number: int | str, instruction: str, answer: str, document_id: str | None = None, **fields) -> Sample:
    messages = [Message(role="user", content=instruction), Message(role="assistant", content=answer)]
    return Sample(id=f"sample-{number}", messages=messages, document_id=document_id, **fields)


def write_dataset(
    folder, rows: Iterable[Record], record: type[Record], stage="ingest", shard_rows=1000, parents=()
) -> str:
    """A finished dataset with these rows, made from `parents` (input, path); returns its path."""
    folder.mkdir(parents=True)
    schema = arrow_schema(record)
    writer, content = ShardWriter(folder, "data", schema, shard_rows, lambda shard, path: None), ContentHash(schema)
    rows = list(rows)
    for start in range(0, len(rows), 500):
        batch = to_batch(rows[start : start + 500], record)
        batch = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        writer.write(batch)
        content.update(batch)
    moment = "2026-01-01T00:00:00Z"
    manifest = Manifest(
        stage=stage, stage_version=1, key="k" * 20, config={}, record=record.__name__, columns=columns_of(schema),
        shards=writer.close(), parents=[_parent(*p) for p in parents],
        rows_in=0, rows_out=len(rows), content_hash=content.hexdigest([]),
        started=moment, finished=moment,
    )  # fmt: skip
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return str(folder)


def _parent(name: str, path: str) -> Parent:
    return Parent(input=name, uri=path, content_hash=read(path).manifest.content_hash)


def read(uri: str) -> Dataset:
    dataset = open_dataset(parse_uri(uri))
    assert dataset, f"no dataset at {uri}"
    return dataset


def write_tokenizer(path, cut_at: str) -> None:
    """A `tokenizer.json` that cuts texts at matches of a pattern, or into characters where there is none."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    pattern, behaviour = (cut_at, "removed") if cut_at else (r"[\s\S]", "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behaviour)
    tokenizer.save(str(path))


def write_classifier(path, texts: dict[str, str]) -> None:
    """A supervised fastText model that tells one text from the other, by label."""
    import fasttext

    examples = path.with_suffix(".txt")
    lines = [f"__label__{label} {' '.join(text.split())}" for label, text in texts.items()]
    examples.write_text("\n".join(lines * 50))
    model = fasttext.train_supervised(
        str(examples), epoch=30, dim=8, lr=0.5, minCount=1, thread=1, verbose=0, bucket=1000, wordNgrams=1
    )
    model.save_model(str(path))
    examples.unlink()


def cross_pairs(rows: list[Sample], test: dict[str, bool], near: float) -> list[tuple[str, str]]:
    """By plain reading: pairs on both sides that share a document or are near-duplicates."""
    read = [(row, word_sets(row.instruction, 5), word_sets(row.answer, 5)) for row in rows]
    return [
        (a.id, b.id)
        for a, asked, answered in read
        for b, other, replied in read
        if test[a.id]
        and not test[b.id]
        and (a.document_id == b.document_id or _alike(asked, other) >= near or _alike(answered, replied) >= near)
    ]


def _alike(a: set, b: set) -> float:
    shared = len(a & b)
    return shared / max(len(a) + len(b) - shared, 1)


def decision(about, verdict="accept", reviewer="ann", **fields) -> Decision:
    """A decision about a sample, or about an id without saying what was looked at."""
    known = {"sample_id": about.id, "content": conversation_key(about.messages)} if isinstance(about, Sample) else {}
    known = known or {"sample_id": about}
    number = hash((reviewer, verdict, str(known), str(fields)))
    return Decision(id=f"d{number}", reviewer=reviewer, verdict=verdict, **{**known, **fields})
