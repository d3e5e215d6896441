"""Samples that people look at, and what they decide about them; no HTML here.

A decision is one small object for each reviewer and sample, in the folder that `decide` reads. Deciding again replaces
it; taking it back removes it. Objects are named by hashes, so that no name of a person or sample becomes a path.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from pydantic import ValidationError

from airflow_side.catalog import Catalog
from contract.config.decide import PAGE_FOLDER
from contract.failures import DamagedData
from contract.keys import KEY_LENGTH, canonical_json, digest
from contract.manifest import Manifest
from contract.records import Decision
from contract.review_files import AGREEMENT, FORM, SAMPLES, DrawnSample, ReviewForm

STAGE = "review"
READERS = 16  # objects of a bucket asked for at a time
MOST_COMPARED = 3_000
"""Decisions that one page reads to say how far reviewers agree."""


@lru_cache(10_000)
def mark_of(reviewer: str) -> str:
    """What stands for a reviewer in the name of an object."""
    return digest(reviewer)[:KEY_LENGTH]


class DecisionFiles:
    """The decisions made on a recipe's review page."""

    def __init__(self, catalog: Catalog, recipe: str) -> None:
        self.files, self.folder = catalog.files, f"{recipe}/{PAGE_FOLDER}"

    @cached_property
    def who(self) -> dict[str, set[str]]:
        """Of each conversation, the marks of those who have decided about it: one listing, nothing read."""
        found: dict[str, set[str]] = {}
        for name in self.files.names(self.folder):
            content, dash, rest = name.partition("-")
            if dash:
                found.setdefault(content, set()).add(rest.removesuffix(".json"))
        return found

    def about(self, samples: Iterable[DrawnSample]) -> dict[str, list[Decision]]:
        """The decisions about these, by conversation, in the order in which they were made."""
        wanted = [(one.content, mark) for one in samples for mark in sorted(self.who.get(one.content, ()))]
        with ThreadPoolExecutor(READERS) as readers:
            read = list(readers.map(lambda pair: self._read(*pair), wanted[:MOST_COMPARED]))
        found: dict[str, list[Decision]] = {}
        for decision in sorted(filter(None, read), key=lambda decision: decision.decided_at or ""):
            found.setdefault(decision.content, []).append(decision)
        return found

    def put(self, decision: Decision) -> None:
        """Keep a decision, in the place of an earlier one of the same reviewer about the same conversation."""
        line = canonical_json(decision.model_dump(exclude={"id"}))
        self.files.write(self._name(decision.content, mark_of(decision.reviewer)), line.encode())

    def take_back(self, content: str, reviewer: str) -> None:
        """Forget what a reviewer decided about a conversation."""
        self.files.delete(self._name(content, mark_of(reviewer)))

    def _read(self, content: str, mark: str) -> Decision | None:
        """A decision; None where it has just been taken back, and for what no page wrote."""
        data = self.files.read(self._name(content, mark))
        try:
            found = Decision.model_validate(json.loads(data) | {"id": mark}) if data else None
        except (ValueError, TypeError, RecursionError):
            return None
        return found if found and found.content == content and mark_of(found.reviewer) == mark else None

    def _name(self, content: str, mark: str) -> str:
        return f"{self.folder}/{content}-{mark}.json"


@dataclass(frozen=True)
class Progress:
    """How far one sample is: whether I have decided, how many others have, and whether it wants no more."""

    mine: bool
    others: int
    enough: bool


class Draw:
    """The samples of one dataset of `review`, as one person sees them."""

    def __init__(
        self, recipe: str, manifest: Manifest, samples: Sequence[DrawnSample], form: ReviewForm, files: DecisionFiles
    ) -> None:
        self.recipe, self.manifest, self.form, self.files = recipe, manifest, form, files
        self.samples = list({one.content: one for one in samples}.values())  # the same twice is looked at once
        self._places = {one.content: place for place, one in enumerate(self.samples)}

    @property
    def key(self) -> str:
        """Names the dataset."""
        return self.manifest.key

    def place(self, content: str) -> int | None:
        """Where a conversation stands; None where it was not drawn."""
        return self._places.get(content)

    def progress(self, sample: DrawnSample, me: str) -> Progress:
        """How far a sample is."""
        mine = mark_of(me) in self.files.who.get(sample.content, ())
        known = self.files.who.get(sample.content, set()) | {mark_of(name) for name in sample.reviewers}
        others = len(known - {mark_of(me)})
        return Progress(mine, others, others + mine >= self.form.reviewers)

    def next_for(self, me: str, after: int | None = None) -> DrawnSample | None:
        """The next that wants me: not decided by me, nor by enough others. Without `after` each reviewer begins at a
        place of their own, so that several at once do not all look at the same."""
        count = len(self.samples)
        start = int(mark_of(me), 16) if after is None else after + 1
        in_turn = (self.samples[(start + step) % count] for step in range(count))
        return next((one for one in in_turn if self._wants(one, me)), None)

    def seen_by(self, me: str, may_decide: bool) -> dict[str, list[Decision]]:
        """The decisions that I may see: about what I have decided about too, or all where I am not to decide."""
        return self.files.about(one for one in self.samples if not may_decide or self.progress(one, me).mine)

    def _wants(self, sample: DrawnSample, me: str) -> bool:
        state = self.progress(sample, me)
        return not (state.mine or state.enough)


def open_draw(catalog: Catalog, recipe: str, key: str) -> Draw | None:
    """A draw by its dataset's key, or the `latest`; None where there is none.

    Raises `DamagedData` where its files cannot be read, or are too large for a page.
    """
    key = (catalog.newest(recipe, STAGE) or "") if key == "latest" else key
    manifest = catalog.manifest(recipe, STAGE, key)
    if manifest is None:
        return None
    samples, form = (_text(catalog, recipe, key, name) for name in (SAMPLES, FORM))
    try:
        drawn = [DrawnSample.model_validate_json(line) for line in samples.splitlines() if line]
        return Draw(recipe, manifest, drawn, ReviewForm.model_validate_json(form), DecisionFiles(catalog, recipe))
    except ValidationError as error:
        raise DamagedData(
            f"what was drawn cannot be read: {error.errors()[0]['msg']}", where=f"{recipe}/review/{key}"
        ) from None


def applied(catalog: Catalog, draw: Draw) -> Mapping[str, Any] | None:
    """What the stage itself found about all decisions that it applied."""
    data = catalog.file(draw.recipe, STAGE, draw.key, AGREEMENT)
    return json.loads(data) if data else None


def _text(catalog: Catalog, recipe: str, key: str, name: str) -> bytes:
    data = catalog.file(recipe, STAGE, key, name)
    if data is None:
        raise DamagedData(
            "the file is not there, or too large for a page",
            where=f"{recipe}/{STAGE}/{key}/{name}",
            hint="lower `review.sample`, or use the files for Argilla",
        )
    return data
