"""What was decided before: rows of an earlier result that are still here, and whether its decisions stand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract.config.base import StoredDataset
from contract.config.deduplicate import DeduplicateConfig, stored_datasets
from contract.manifest import Manifest
from curate.deduplicate.facts import Facts
from curate.deduplicate.lookup import find, first_of, index_of
from curate.deduplicate.remembered import Remembered, remembered
from curate.deduplicate.verdicts import KEPT, NEW, OTHERS, PREFERRED, SETTLED, Start, undecided
from curate.scan.arrays import I64s, U8s
from stagekit.dataset import Dataset
from stagekit.sources import SOURCES, fingerprint, stored_dataset


@dataclass(frozen=True)
class History:
    """The rows that an earlier result remembers; `stands` where they were decided by the same settings."""

    before: Remembered
    stands: bool


def others_of(config: DeduplicateConfig) -> list[Dataset]:
    """The datasets that must not be repeated."""
    found = [stored_dataset(source) for source in stored_datasets(config)[: len(config.against)]]
    return [dataset for dataset in found if dataset]


def history_of(config: DeduplicateConfig, version: int) -> History | None:
    """What `previous` remembers; None where there is nothing yet, or nothing that serves these settings."""
    sources = stored_datasets(config)
    dataset = stored_dataset(sources[-1]) if config.previous else None
    before = remembered(dataset, config, version) if dataset else None
    if dataset is None or before is None:
        return None
    return History(before, _same_decisions(dataset.manifest, config, sources[: len(config.against)]))


def start_of(facts: Facts, first_own: int, history: History | None, folder: Path) -> Start:
    """Where the passes start: all undecided, but for what stands from before."""
    standing = np.full(len(facts), NEW)
    standing[:first_own] = OTHERS
    start = Start(undecided(len(facts)), standing, folder)
    if history:
        _recall(start, facts, first_own, history)
    return start


def _recall(start: Start, facts: Facts, first_own: int, history: History) -> None:
    """Give rows kept before their standing, and rows dropped before their verdict if its partner stands."""
    before, standing = history.before, start.standing
    own = first_own + _firsts(facts.identity[first_own:])
    places = before.places(facts.identity[own])
    kept = np.zeros(len(before.facts), bool)
    kept[before.kept] = True
    standing[own[(places >= 0) & kept[places]]] = SETTLED if history.stands else PREFERRED
    if not history.stands:
        return
    gone, places = own[(places >= 0) & ~kept[places]], places[(places >= 0) & ~kept[places]]
    standing_rows = np.flatnonzero(standing <= SETTLED)
    partner = find(before.partner[places], facts.identity, index_of(facts.identity, standing_rows))
    here = partner != KEPT
    start.verdicts.partner[gone[here]] = partner[here]
    start.verdicts.rule[gone[here]] = before.rule[places[here]]
    start.verdicts.similarity[gone[here]] = before.similarity[places[here]]


def _firsts(identity: np.ndarray) -> I64s:
    """The rows that are the first of their identity: only they can be the row that is remembered."""
    rows = np.arange(len(identity))
    alone: U8s = np.zeros(len(identity), np.uint8)
    return np.flatnonzero(first_of(identity, rows, alone) == rows)


def _same_decisions(made: Manifest, config: DeduplicateConfig, others: list[StoredDataset]) -> bool:
    """Whether thresholds and other datasets are what they were."""
    earlier = DeduplicateConfig.model_validate(made.config)
    hashes = [parent.content_hash for parent in made.parents if parent.input == SOURCES][: len(earlier.against)]
    same = all(getattr(earlier, name) == getattr(config, name) for name in ("threshold", "semantic", "substring"))
    if same and config.semantic and config.semantic.embedding.model:
        same = fingerprint(config.semantic.embedding.sources()[0]) in {parent.content_hash for parent in made.parents}
    return same and hashes == [fingerprint(source) for source in others]
