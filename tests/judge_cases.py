"""Each field of judge's config, changed, changes a result or what a server sees."""

from every_field import Case
from llm_cases import BATCHES, LIMITS, SEVERAL

PRICE = {"prompt": 1_000.0, "completion": 1_000.0}
DOWN = {"server_error": 1.0}
GOLD = {"uri": "gold"}
NAMED = {"uri": "named"}
PAIRS = {"uri": "pairs", "verdict": "winner"}
JURY = [{"model": "low", "base_url": "first"}, {"model": "high", "base_url": "first"}]
RIVAL = {"model": "rival", "base_url": "first"}
FAR = RIVAL | {"base_url": "second"}
PAIRWISE = {"method": "pairwise", "opponent": RIVAL}
DROPPING = {"gold": GOLD, "min_gold": 3, "drop_below": 3, "min_agreement": 0.6}
ALONE = {"attempts": 1, "max_failed": 1.0, "concurrency": 1}
"""Three failures in a row end a run: the order is fixed here, and has none."""

Faults = dict[str, float]

CASES: list[tuple[Case, Faults]] = [
    (Case("model", "low", "server first saw model low"), {}),
    (Case("base_url", "second", "server second saw"), {}),
    (Case("temperature", 1.5, "saw temperature 1.5"), {}),
    (Case("max_tokens", 700, "saw max_tokens 700"), {}),
    (Case("seed", 7, "saw seed 7"), {}),
    (Case("attempts", 9, '"rule": "server_error"', ALONE), {"server_error": 0.3}),
    (Case("reasks", 0, 'account requests {"total":8', {"reasks": 2}), {"malformed": 1.0}),
    (Case("max_failed", 0.0, "failure RemoteTrouble", ALONE), {"cut_off": 0.3}),
    (Case("on_budget", "fail", "failure BudgetReached", {"budget": {"requests": 2}}), {}),
    (Case("budget.money", 3.0, '"rule": "budget"', {"price": PRICE}), {}),
    (Case("budget.tokens", 3_000, '"rule": "budget"'), {}),
    (Case("budget.requests", 2, '"rule": "budget"'), {}),
    (Case("price.prompt", 2_000, "figure money", {"price": PRICE}), {}),
    (Case("price.completion", 2_000, "figure money", {"price": PRICE}), {}),
    (Case("concurrency", 1, "server first had 1 at once", {"concurrency": 4}), {"latency": 0.1}),
    (Case("timeout", 0.1, "failure RemoteTrouble", {"attempts": 1}), {"latency": 0.6}),
    (Case("backoff", 60, "another wait", {"attempts": 2, "backoff": 0.01, "patience": 20}), DOWN),
    (Case("patience", 0.001, "another wait", {"attempts": 2, "patience": 20}), DOWN),
    (Case("shard_rows", 1, "shards 8 and 0"), {}),
    (Case("method", "absolute", "expected method: pairwise", {"method": "pairwise", "opponent": RIVAL}), {}),
    (Case("criteria", ["written-1"], "written_mean"), {}),
    (Case("prompt", "judge-2", "In verse, please."), {}),
    (Case("examples", 0, "saw message"), {}),
    (Case("judges.model", "exact", "server first saw model exact", {"judges": JURY}), {}),
    (Case("judges.base_url", "second", "server second saw model low", {"judges": JURY}), {}),
    (Case("judges.price.prompt", 2_000, "figure money", {"judges": [JURY[0] | {"price": PRICE}]}), {}),
    (Case("judges.price.completion", 2_000, "figure money", {"judges": [JURY[0] | {"price": PRICE}]}), {}),
    (
        Case("aggregate", "vote", "figure helpful_mean", {"judges": [*JURY, {"model": "lower", "base_url": "first"}]}),
        {},
    ),
    (Case("opponent.model", "other", "server first saw model other", PAIRWISE), {}),
    (Case("opponent.base_url", "second", "server second saw model rival", PAIRWISE), {}),
    (Case("opponent.price.prompt", 9_000, "figure money", PAIRWISE | {"price": PRICE}), {}),
    (Case("opponent.price.completion", 9_000, "figure money", PAIRWISE | {"price": PRICE}), {}),
    (Case("gold.uri", "named", '"of":"gold"', {"gold": {"uri": "none"}}), {}),
    (Case("gold.records_at", "rows", "failure BadInput", {"gold": {"uri": "nested", "records_at": "more.rows"}}), {}),
    (Case("gold.id", "other_id", '"rule": "gold_without_text"', {"gold": NAMED}), {}),
    (Case("gold.instruction", "other", "question Else?", {"gold": GOLD}), {}),
    (Case("gold.answer", "reference", "figure helpful_percent", {"gold": GOLD}), {}),
    (Case("gold.opponent", "reference", "figure helpful_percent", PAIRWISE | {"gold": PAIRS}), {}),
    (Case("gold.reference", "nothing", "no_reference", {"gold": GOLD, "criteria": ["grounded-1"]}), {}),
    (Case("gold.verdict", "accepted", "helpful_kappa", {"gold": GOLD}), {}),
    (Case("gold.lowest", 0, "helpful_percent", {"gold": GOLD}), {}),
    (Case("gold.highest", 5, "helpful_percent", {"gold": GOLD}), {}),
    (Case("gold.only", {"turn": 1}, '"rule": "gold_not_wanted"', {"gold": GOLD}), {}),
    (Case("accept_at", 4, "helpful_kappa", {"gold": GOLD | {"verdict": "accepted"}}), {}),
    (Case("agreement", "kappa", "helpful_may_drop", DROPPING), {}),
    (Case("min_agreement", None, '"rule": "low_helpful"', DROPPING | {"min_agreement": 0.9}), {}),
    (Case("min_gold", 4, '"rule": "low_helpful"', DROPPING), {}),
    (Case("drop_below", 2, '"rule": "low_helpful"', DROPPING), {}),
    (Case("judges.key", "OTHER_API_KEY", "saw key sk-two", {"judges": JURY[:1]}), {}),
    (
        Case(
            "opponent.key", "OTHER_API_KEY", "saw key sk-two", PAIRWISE | {"opponent": RIVAL | {"base_url": "second"}}
        ),
        {},
    ),
    *LIMITS,
    *BATCHES,
    *SEVERAL,
    (Case("drop_by", "length_normalised", '"rule": "low_helpful"', DROPPING), {}),
]
