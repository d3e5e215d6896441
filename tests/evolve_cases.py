"""For every field of evolve's config, a change and what shows of it; `first` and `second` stand for two servers."""

from typing import Any

from contract.config.evolve import Operations
from every_field import Case
from llm_cases import PRICE, Faults, shared_cases

OPERATIONS = tuple(Operations.model_fields)
AUTO = {"method": "auto", "auto": {"steps": 1, "candidates": 2, "development": 4, "trajectories": 2}}


def only(operation: str) -> dict[str, Any]:
    """Settings under which one operation is drawn always."""
    return {"operations": {name: float(name == operation) for name in OPERATIONS}}


def other(model: str) -> dict[str, Any]:
    """Another model of the first server."""
    return {"model": model, "base_url": "first", "price": PRICE}


ANSWERED = {"price": PRICE, "answerer": other("careful")}
COMPARED = {
    "price": PRICE,
    "compare": {"answerers": [other("good"), other("fair"), other("poor")], "judge": other("judge")},
}
FAR = {"model": "careful", "base_url": "second"}
COMPARED_FAR = {"compare": {"answerers": [FAR, other("fair"), other("poor")], "judge": other("judge")}}
JUDGED_FAR = {"compare": COMPARED["compare"] | {"judge": {"model": "judge", "base_url": "second"}}}
CASES: list[tuple[Case, Faults]] = [
    (Case("shard_rows", 1, "shards 10 and 2"), {}),
    (Case("method", "auto", "figure auto_failure_rate"), {}),
    (Case("rounds", 2, "round-2"), {}),
    (Case("originals", "drop", "left_out"), {}),
    *((Case(f"operations.{name}", 1_000, f'["{name}", "round-1"]', only("deepen")), {}) for name in OPERATIONS[:1]),
    *(
        (Case(f"operations.{name}", 1_000, f'["{name}", "round-1"]', only("constraints")), {})
        for name in OPERATIONS[1:]
    ),
    (Case("auto.steps", 0, "figure auto_methods_tried 1", AUTO), {}),
    (Case("auto.method", "Add a condition.", "Add a condition.", AUTO), {}),
    (Case("auto.candidates", 1, "figure auto_methods_tried 2", AUTO), {}),
    (Case("auto.trajectories", 1, "account development", AUTO), {}),
    (Case("auto.development", 2, "account development", AUTO), {}),
    (Case("prompt", "evolve-2", "In verse, please."), {}),
    (Case("answerer.model", "third", '"model": "third"', ANSWERED), {}),
    (Case("answerer.key", "OTHER_API_KEY", "saw key sk-two", {"answerer": FAR}), {}),
    (Case("answerer.base_url", "second", "server second saw", ANSWERED), {}),
    (Case("answerer.price.prompt", 2_000, "figure money", ANSWERED), {}),
    (Case("answerer.price.completion", 2_000, "figure money", ANSWERED), {}),
    (Case("check_gain", False, "account requests"), {}),
    (Case("min_answer_words", 1_000, "too_short"), {}),
    (Case("compare.answerers.model", "third", "saw model third", COMPARED), {}),
    (Case("compare.answerers.key", "OTHER_API_KEY", "saw key sk-two", COMPARED_FAR), {}),
    (Case("compare.judge.key", "OTHER_API_KEY", "saw key sk-two", JUDGED_FAR), {}),
    (Case("compare.answerers.base_url", "second", "server second saw", COMPARED), {}),
    (Case("compare.answerers.price.prompt", 2_000, "figure money", COMPARED), {}),
    (Case("compare.answerers.price.completion", 2_000, "figure money", COMPARED), {}),
    (Case("compare.judge.model", "third", "saw model third", COMPARED), {}),
    (Case("compare.judge.base_url", "second", "server second saw", COMPARED), {}),
    (Case("compare.judge.price.prompt", 2_000, "figure money", COMPARED), {}),
    (Case("compare.judge.price.completion", 2_000, "figure money", COMPARED), {}),
    (Case("compare.prompt", "ultrafeedback-2", "In verse, please.", COMPARED), {}),
    (Case("compare.of", "all", "better_answer", COMPARED), {}),
    (Case("compare.rejected", "random", "preferences.jsonl", COMPARED), {}),
    (Case("compare.min_gap", 4, '"rule": "tie"', COMPARED), {}),
    *shared_cases(requests=6),
]
