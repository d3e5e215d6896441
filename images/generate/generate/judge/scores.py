"""The rows' scores between the two walks over the rows: first all are judged, then all are written."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan

from contract.config.judge import HIGHEST, LOWEST, JudgeConfig
from contract.records import Sample
from generate.judge.biases import Line, at_length
from generate.judge.gate import Gate

NORMALISED = "_length_normalised"
UNJUDGED = "unjudged"


class Scores:
    """One number for each row and criterion, 8 bytes each, and each row's length."""

    def __init__(self, criteria: Sequence[str]) -> None:
        self.by_criterion = {criterion: array("d") for criterion in criteria}
        self.lengths = array("d")

    def add(self, length: float, scores: dict[str, float | None]) -> None:
        """Append one row."""
        self.lengths.append(length)
        for criterion, values in self.by_criterion.items():
            score = scores[criterion]
            values.append(nan if score is None else score)

    def of(self, row: int, lines: dict[str, Line], pairwise: bool) -> dict[str, float]:
        """A row's scores by name, as given and normalised for length within the scale; a missing one is not there."""
        found = {}
        low, high = (0.0, 1.0) if pairwise else (float(LOWEST), float(HIGHEST))
        for criterion, values in self.by_criterion.items():
            if isnan(score := values[row]):
                continue
            line = lines[criterion]
            centre = 0.0 if pairwise else line.mean_x
            found[criterion] = score
            normalised = at_length(score, self.lengths[row], line, centre)
            found[f"{criterion}{NORMALISED}"] = round(min(high, max(low, normalised)), 6)
        return found


@dataclass(frozen=True)
class Dropping:
    """Which scores drop a row."""

    config: JudgeConfig
    gates: dict[str, Gate]

    def low(self, scores: dict[str, float]) -> list[tuple[str, float]]:
        """Criteria whose gate is open and whose score is too low, with that score."""
        least = self.config.drop_below
        suffix = NORMALISED if self.config.drop_by == "length_normalised" else ""
        if least is None:
            return []
        found = [(name, scores.get(f"{name}{suffix}")) for name, gate in self.gates.items() if gate.open]
        return [(name, score) for name, score in found if score is not None and score < least]


def marked(sample: Sample, scores: dict[str, float], criteria: Sequence[str]) -> Sample:
    """The sample with its new scores; tagged where one is missing."""
    mine = {name for criterion in criteria for name in (criterion, f"{criterion}{NORMALISED}")}
    others = {name: score for name, score in sample.scores.items() if name not in mine}
    tags = [tag for tag in sample.tags if tag != UNJUDGED]
    unjudged = any(criterion not in scores for criterion in criteria)
    return sample.model_copy(update={"scores": others | scores, "tags": tags + [UNJUDGED] * unjudged})
