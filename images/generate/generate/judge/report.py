"""The calibration report: what the verdicts say about the rows, and what people's verdicts say about the judges."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from generate.judge.agreement import Agreement, Confusion
from generate.judge.biases import length_bias
from generate.judge.duels import Duels, Record
from generate.judge.gate import Gate
from generate.judge.jury import family
from generate.judge.panel import Panel
from generate.judge.tally import Tally

WORTH = {"1": 1.0, "2": 2.0, "3": 3.0, "4": 4.0, "worse": 0.0, "tie": 0.5, "better": 1.0, "reject": 0.0, "accept": 1.0}


def facts_of(
    panel: Panel, tallies: list[Tally], gates: dict[str, Gate], rows: int, dropped: Counter[str], kin: Counter[str]
) -> dict[str, Any]:
    """All figures, as plain values; what is not defined is null."""
    config = panel.config
    return {
        "method": config.method,
        "prompt": panel.prompts.name,
        "prompt_hash": panel.prompts.hash[:16],
        "aggregate": config.aggregate,
        "rows": rows,
        "dropped": dict(sorted(dropped.items())),
        "drop_below": config.drop_below,
        "judges": [_judge(panel, number, tallies, kin) for number in range(len(panel.names))],
        "criteria": [_criterion(panel, number, tally, gates[tally.criterion]) for number, tally in enumerate(tallies)],
    }


def as_json(facts: dict[str, Any]) -> str:
    """The report for programs."""
    return json.dumps(facts, ensure_ascii=False, indent=1)


def metrics_of(facts: dict[str, Any]) -> dict[str, float | int | str | None]:
    """The figures that the manifest keeps."""
    found: dict[str, float | int | str | None] = {"prompt": facts["prompt"], "prompt_hash": facts["prompt_hash"]}
    found["verdicts_missing"] = sum(sum(judge["missing"].values()) for judge in facts["judges"])
    found["rows_of_a_judges_family"] = max(judge["rows_of_its_family"] for judge in facts["judges"])
    for each in facts["criteria"]:
        name, gold = each["criterion"], each["gold"]
        found |= {
            f"{name}_mean": each["mean"],
            f"{name}_unjudged": each["unjudged"],
            f"{name}_gold": gold["items"],
            f"{name}_percent": gold["percent"],
            f"{name}_kappa": gold["kappa"],
            f"{name}_weighted_kappa": gold["weighted_kappa"],
            f"{name}_may_drop": "yes" if gold["gate"]["open"] else f"no: {gold['gate']['reason']}",
            f"{name}_score_per_doubling": each["length"]["per_doubling"],
        }
        if facts["method"] == "pairwise":
            found[f"{name}_order_bias"] = _mean([order["bias"] for order in each["orders"]])
            found[f"{name}_order_consistency"] = _mean([order["consistency"] for order in each["orders"]])
            found[f"{name}_length_bias"] = each["length"]["bias"]
            figures = ("wins", "ties", "losses", "undecided", "win_rate")
            found |= {f"{name}_{figure}": each["duels"][figure] for figure in figures}
    return found


def _judge(panel: Panel, number: int, tallies: list[Tally], kin: Counter[str]) -> dict[str, Any]:
    endpoint, name = panel.config.jury[number], panel.names[number]
    missing = sum((tally.missing[number] for tally in tallies), Counter[str]())
    return {
        "judge": name,
        "family": family(endpoint.model),
        "rows_of_its_family": kin[family(endpoint.model)],
        "verdicts": sum(tally.given[number] for tally in tallies),
        "missing": dict(sorted(missing.items())),
    }


def _criterion(panel: Panel, number: int, tally: Tally, gate: Gate) -> dict[str, Any]:
    names = panel.names
    return {
        "criterion": tally.criterion,
        "rubric": panel.prompts.rubrics[number].name,
        "question": panel.prompts.rubrics[number].file.question,
        "scored": tally.lengths.points,
        "unjudged": tally.without_quorum,
        "mean": _short(tally.lengths.mean_y),
        "values": dict(zip(tally.scores.labels, tally.histogram, strict=True)),
        "gold": _gold(tally, names) | {"gate": {"open": gate.open, "reason": gate.reason}},
        "duels": _duels(tally.duels) if tally.pairwise else None,
        "orders": _orders(tally, names) if tally.pairwise else [],
        "length": _length(tally),
        "jurors": [
            {"one": names[one], "other": names[other]} | _agreement(confusion.agreement)
            for (one, other), confusion in tally.jurors.items()
        ],
    }


def _gold(tally: Tally, names: list[str]) -> dict[str, Any]:
    whole, by_juror = tally.against_people
    return _agreement(whole.agreement) | {
        "labels": list(whole.labels),
        "confusion": whole.counts.tolist(),
        "reliability": _reliability(whole),
        "by_judge": [{"judge": name} | _agreement(each.agreement) for name, each in zip(names, by_juror, strict=True)],
    }


def _agreement(found: Agreement) -> dict[str, Any]:
    interval = found.interval
    return {
        "items": found.items,
        "percent": _short(found.percent),
        "percent_interval": [_short(end) for end in interval] if interval else None,
        "kappa": _short(found.kappa),
        "weighted_kappa": _short(found.weighted_kappa),
    }


def _reliability(confusion: Confusion) -> list[dict[str, Any]]:
    """For each verdict of the judge: how many there were, and what people said of the same answers on average."""
    found = []
    for place, label in enumerate(confusion.labels):
        column = confusion.counts[:, place]
        total = int(column.sum())
        worth = sum(int(n) * WORTH[said] for n, said in zip(column, confusion.labels, strict=True))
        found.append({"verdict": label, "items": total, "people": _short(worth / total) if total else None})
    return found


def _duels(duels: Duels) -> dict[str, Any]:
    """Pairs won, tied and lost, by whose answers they were compared with and by the kind of sample."""
    return _record(duels.whole) | {
        "opponents": dict(sorted(duels.rivals.items())),
        "by_kind": [{"kind": kind} | _record(record) for kind, record in duels.kinds()],
    }


def _record(record: Record) -> dict[str, Any]:
    interval = record.interval
    return asdict(record) | {
        "win_rate": _short(record.win_rate),
        "win_rate_interval": [_short(end) for end in interval] if interval else None,
    }


def _orders(tally: Tally, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "judge": name,
            "pairs": orders.pairs,
            "consistency": _short(orders.consistency),
            "bias": _short(orders.bias),
        }
        for name, orders in zip(names, tally.orders, strict=True)
    ]


def _length(tally: Tally) -> dict[str, Any]:
    """Lean and bias are of pairs; the others of scores over doublings of length."""
    judge, people = tally.longer_on_gold.lean, tally.longer_by_people.lean
    return {
        "per_doubling": _short(tally.lengths.slope),
        "standard_error": _short(tally.lengths.slope_error),
        "taken_out": _short(tally.lengths.trend),
        "correlation": _short(tally.lengths.correlation),
        "error_per_doubling": _short(tally.errors.slope),
        "lean": _short(tally.longer.lean),
        "lean_on_gold": _short(judge),
        "lean_of_people": _short(people),
        "bias": _short(length_bias(judge, people)),
    }


def _mean(values: list[float | None]) -> float | None:
    given = [value for value in values if value is not None]
    return _short(sum(given) / len(given)) if given else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
