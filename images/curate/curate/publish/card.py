"""The dataset card: what `datasets` needs to load the files, and what a person wants to know first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

import yaml

from contract.config.publish import PublishConfig
from contract.records import Sample

WORDS = ("instruction", "answer")
REVIEWED = ("accepted", "edited")
"""Tags that review leaves on samples that people kept."""


@dataclass
class Statistics:
    """Counts over the samples as they pass by; `words` holds the lengths of instructions and answers in words."""

    rows: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    scores: dict[str, list[float]] = field(default_factory=dict)
    reviewed: Counter[str] = field(default_factory=Counter)
    documents: set[str] = field(default_factory=set)
    words: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in WORDS})

    def add(self, sample: Sample, license: str) -> None:
        """Count one sample; `license` stands for samples that state none."""
        self.rows[sample.split or "train"] += 1
        self.kinds[sample.kind] += 1
        self.sources[sample.source or "(none)"] += 1
        self.licenses[sample.license or license] += 1
        self.words["instruction"].append(len(sample.instruction.split()))
        self.words["answer"].append(len(sample.answer.split()))
        self.reviewed.update(tag for tag in REVIEWED if tag in sample.tags)
        for name, score in sample.scores.items():
            self.scores.setdefault(name, []).append(score)
        if sample.document_id:
            self.documents.add(sample.document_id)


def card(statistics: Statistics, config: PublishConfig, name: str, preferences: Mapping[str, int]) -> str:
    """The text of README.md; `preferences` are their numbers by split."""
    splits = [split for split in ("train", "test") if statistics.rows[split]]
    title = config.title or name
    header = {
        "pretty_name": title,
        "license": sorted(statistics.licenses),
        "task_categories": ["text-generation"],
        "tags": ["instruction-tuning", "nocturne"],
        "configs": [
            *(_config(layout, splits, layout == config.formats[0]) for layout in config.formats),
            *([_config("preferences", sorted(preferences, reverse=True), default=False)] if preferences else []),
        ],
    }
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---\n\n# {title}",
        f"{statistics.rows.total():,} instruction samples from {len(statistics.documents):,} documents.",
        "## Splits",
        _table(("split", "samples"), [(split, f"{statistics.rows[split]:,}") for split in splits]),
        _about_the_split(config),
        "## Loading",
        "```python\nfrom datasets import load_dataset\n\n"
        f'data = load_dataset("{config.hub or "path/to/this/folder"}", "{config.formats[0]}")\n```',
        f"Layouts: {', '.join(config.formats)}. The Parquet files under `data/` hold the same samples with all their "
        "fields: origin, kind, parents, scores, split.",
        *_about_preferences(preferences),
        "## Lengths in words",
        _table(("", "mean", "median", "longest"), [_lengths(name, statistics.words[name]) for name in WORDS]),
        *_quality(statistics),
        "## Origin",
        *(_counts(name, counter) for name, counter in _counters(statistics)),
    ]
    return "\n\n".join(parts) + "\n"


def _config(layout: str, splits: Sequence[str], default: bool) -> dict[str, object]:
    files = [{"split": split, "path": f"{layout}/{split}.jsonl"} for split in splits]
    return {"config_name": layout} | ({"default": True} if default else {}) | {"data_files": files}


def _about_the_split(config: PublishConfig) -> str:
    if not config.test_share:
        return "There is no test split."
    return (
        "No document is on both sides, and no instruction or answer has a near-duplicate (Jaccard similarity of word "
        f"5-grams of {config.near_duplicate:g} or more) on the other side."
    )


def _about_preferences(preferences: Mapping[str, int]) -> list[str]:
    if not preferences:
        return []
    number = sum(preferences.values())
    return [
        f"`preferences` has {number:,} pairs of a better and a worse answer to the instruction of a sample (`id`), as "
        "`prompt`, `chosen` and `rejected`, with their ratings from 1 to 5 and the models that wrote them; each is on "
        "its sample's side of the split."
    ]


def _lengths(name: str, words: list[int]) -> tuple[str, ...]:
    if not words:
        return name, "", "", ""
    return name, f"{mean(words):.1f}", f"{median(words):g}", f"{max(words):,}"


def _quality(statistics: Statistics) -> list[str]:
    """What judges, raters and reviewers said; nothing where nobody was asked."""
    parts = []
    if statistics.scores:
        rows = [(name, *_spread(values)) for name, values in sorted(statistics.scores.items())]
        parts += ["## Scores", _table(("score", "samples", "least", "median", "mean", "most"), rows)]
    if statistics.reviewed:
        counts = [f"{statistics.reviewed[tag]:,} {tag}" for tag in REVIEWED]
        parts += [
            "## Review",
            f"Of these samples people read some before: {', '.join(counts)}; rejected ones are gone.",
        ]
    return parts


def _spread(values: Sequence[float]) -> tuple[str, ...]:
    figures = (min(values), median(values), mean(values), max(values))
    return f"{len(values):,}", *(f"{figure:.3g}" for figure in figures)


def _counters(statistics: Statistics) -> list[tuple[str, Counter[str]]]:
    return [("kind", statistics.kinds), ("source", statistics.sources), ("licence", statistics.licenses)]


def _counts(name: str, counter: Counter[str]) -> str:
    rows = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return _table((name, "samples"), [(key, f"{count:,}") for key, count in rows[:20]])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
