"""The `extractive` provider: no model, no cost, and said so in every sample."""

import re
from collections.abc import Iterator

from contract.records import Chunk, Sample
from generate.instruct.book import CHUNKS, Book, Outcome
from generate.instruct.dialogue import Dropped
from generate.instruct.extractive.blocks import plain
from generate.instruct.extractive.passages import Passage, passages
from generate.instruct.extractive.phrases import STOP_WORDS, key_phrases
from generate.instruct.extractive.wording import instructions, plain_instructions
from generate.instruct.pairs import Pair
from generate.instruct.samples import make_sample
from generate.words import normal
from stagekit.job import Job

MODEL = "extractive"
FENCED = re.compile(r"```.*?```|~~~.*?~~~", re.DOTALL)
ENGLISH_SHARE = 0.12
"""Share of English stop words above which a text of unknown language is taken for English (prose has 0.4 to 0.5)."""


def write_by_extraction(job: Job) -> None:
    """Pairs of every chunk, out of its own words."""
    book = Book(job, requests=False)
    document, seen = "", set[str]()
    for chunk in job.input(CHUNKS).records(Chunk):
        if chunk.document_id != document:
            document, seen = chunk.document_id, set()
        book.add(extract(chunk, job.config.pairs, seen))
    book.flush()


def extract(chunk: Chunk, wanted: int, seen: set[str]) -> Outcome:
    """At most `wanted` samples, each answer a passage of the chunk as it stands.

    `seen` are the document's instructions so far, normalised; no instruction comes twice in one document.
    """
    whole = plain(chunk.text)
    found = passages(chunk.text, wanted, chunk.title)
    samples = [sample for passage in found if (sample := _sample(chunk, whole, passage, seen))]
    if not samples:
        return Outcome(chunk, [], status="dropped", rule="no_passage")
    missing = [Dropped("missing", "no further passage to answer with")] * (wanted - len(samples))
    return Outcome(chunk, samples, missing)


def _sample(chunk: Chunk, whole: str, passage: Passage, seen: set[str]) -> Sample | None:
    """A passage under the first wording that is new to the document; `whole` is the chunk's text without marks."""
    answer = chunk.text[passage.start : passage.end]
    for instruction in _wordings(chunk, whole, passage, answer):
        if (key := normal(instruction)) and key not in seen:
            seen.add(key)
            pair = Pair(instruction=instruction, answer=answer)
            return make_sample(chunk, pair, model=MODEL, tags=[MODEL], span=_span(chunk, passage))
    return None


def _wordings(chunk: Chunk, whole: str, passage: Passage, answer: str) -> Iterator[str]:
    phrases = key_phrases(plain(FENCED.sub("", answer)), whole)
    if _is_english(chunk, whole):
        heading = passage.heading if passage.opens else None
        return instructions(passage.kind, plain(answer), chunk.title, heading, phrases)
    return plain_instructions(chunk.title, phrases)


def _is_english(chunk: Chunk, words: str) -> bool:
    if chunk.language:
        return chunk.language.lower().startswith("en")
    found = normal(words).split()
    return sum(word in STOP_WORDS for word in found) >= ENGLISH_SHARE * len(found)


def _span(chunk: Chunk, passage: Passage) -> tuple[int, int] | None:
    """The passage's place in the document, where the chunk is a plain cut of it."""
    if chunk.end - chunk.start != len(chunk.text):
        return None
    return chunk.start + passage.start, chunk.start + passage.end
