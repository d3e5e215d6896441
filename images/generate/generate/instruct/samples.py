"""From a pair to a sample, with where it came from."""

from contract.records import Chunk, Message, Sample
from generate.canonical import plain_digest
from generate.instruct.pairs import Pair

ID_LENGTH = 20


def make_sample(
    chunk: Chunk,
    pair: Pair,
    *,
    model: str,
    tags: list[str],
    span: tuple[int, int] | None = None,
    prompt_hash: str | None = None,
    response_hash: str | None = None,
    scores: dict[str, float] | None = None,
) -> Sample:
    """The sample of a pair. `span` is the answer's place in the document; without one it is the whole chunk's."""
    instruction, answer = pair.instruction.strip(), pair.answer if span else pair.answer.strip()
    start, end = span or (chunk.start, chunk.end)
    return Sample(
        id=plain_digest([chunk.document_id, chunk.start, chunk.end, instruction, answer])[:ID_LENGTH],
        messages=[Message(role="user", content=instruction), Message(role="assistant", content=answer)],
        document_id=chunk.document_id,
        chunk_id=chunk.id,
        start=start,
        end=end,
        parent_ids=[],  # a default would be copied
        source=chunk.source,
        author=chunk.author,
        license=chunk.license,
        model=model,
        prompt_hash=prompt_hash,
        response_hash=response_hash,
        scores=scores or {},
        tags=tags,
    )
