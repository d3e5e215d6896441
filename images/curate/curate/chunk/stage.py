"""Cut each document; book the documents, and the pieces they were cut into."""

from collections.abc import Callable

import pyarrow as pa

from contract.config.chunk import ChunkConfig
from contract.records import Chunk, LedgerEntry
from curate.chunk.blocks import blocks
from curate.chunk.sentences import sentences
from curate.chunk.spans import Span, cut_oversize, join
from stagekit.job import Job

DOCUMENTS, PIECES = "rows", "pieces"
STRATEGIES: dict[str, Callable[[str], list[Span]]] = {"sentences": sentences, "markdown": blocks}
INHERITED = ("title", "author", "source", "license", "language")


def run(job: Job) -> None:
    """Chunks in document order, each the text of its span in the document.

    Drops pieces shorter than `minimum` (account `pieces`) and documents that yield no chunk (account `rows`).
    """
    job.output.rule("too_short", "the piece is shorter than `minimum`")
    job.output.rule("no_chunk", "no piece of the document reaches `minimum`")
    job.output.books.open(PIECES)
    rows = job.input("rows")
    progress = job.progress(rows.rows, "rows")
    longest = 0
    for batch in rows.batches():
        longest = max(longest, _book(job, batch))
        progress.add(batch.num_rows)
    job.output.metrics |= {"chunks": job.output.rows, "longest": longest}


def pieces(text: str, config: ChunkConfig) -> list[Span]:
    """The spans that a text is cut into, short ones included."""
    spans = STRATEGIES[config.strategy](text)
    if config.oversize == "cut":
        spans = list(cut_oversize(spans, text, config.maximum))
    return join(spans, config.minimum, config.maximum)


def _book(job: Job, batch: pa.RecordBatch) -> int:
    """Book one batch of documents; returns the length of its longest chunk."""
    kept: list[Chunk] = []
    short: list[Chunk] = []
    barren: list[int] = []
    for number, document in enumerate(batch.to_pylist()):
        cut = _chunks(document, pieces(document["text"], job.config))
        long_enough = [chunk for chunk in cut if len(chunk.text) >= job.config.minimum]
        kept += long_enough
        short += [chunk for chunk in cut if len(chunk.text) < job.config.minimum]
        if not long_enough:
            barren.append(number)
    job.output.books.open(PIECES, len(kept) + len(short))
    job.output.enter(_too_short(chunk, job.config.minimum) for chunk in short)
    if barren:
        lost = batch.take(pa.array(barren))
        lengths = [len(text) for text in lost.column("text").to_pylist()]
        job.output.drop(lost, DOCUMENTS, "no_chunk", value=lengths, threshold=job.config.minimum)
    job.output.keep(DOCUMENTS, batch.num_rows - len(barren))
    if kept:
        job.output.write(kept, account=PIECES)
    return max((len(chunk.text) for chunk in kept), default=0)


def _chunks(document: dict[str, str], spans: list[Span]) -> list[Chunk]:
    return [
        Chunk(
            id=f"{document['id']}#{ordinal}",
            document_id=document["id"],
            ordinal=ordinal,
            start=span.start,
            end=span.end,
            text=document["text"][span.start : span.end],
            **{field: document[field] for field in INHERITED},
        )
        for ordinal, span in enumerate(spans)
    ]


def _too_short(chunk: Chunk, minimum: int) -> LedgerEntry:
    return LedgerEntry(
        account=PIECES,
        status="dropped",
        rule="too_short",
        id=chunk.id,
        value=str(len(chunk.text)),
        threshold=str(minimum),
        row=chunk.model_dump_json(),
    )
