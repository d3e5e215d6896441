"""Each field of judge's config, changed, changes a result or what a server sees."""

from every_field import Case
from llm_cases import PRICE, Faults, shared_cases

GOLD = {"uri": "gold"}
NAMED = {"uri": "named"}
PAIRS = {"uri": "pairs", "verdict": "winner"}
JURY = [{"model": "low", "base_url": "first"}, {"model": "high", "base_url": "first"}]
RIVAL = {"model": "rival", "base_url": "first"}
FAR = RIVAL | {"base_url": "second"}
PAIRWISE = {"method": "pairwise", "opponent": RIVAL}
DROPPING = {"gold": GOLD, "min_gold": 3, "drop_below": 3, "min_agreement": 0.6}
OTHERS = "whose verdicts it would give"
"""What is said of another model that would answer in a judge's name."""

CASES: list[tuple[Case, Faults]] = [
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
    (Case("answers_by", "other", '"rule": "by_another_model"'), {}),
    (
        Case("opponents_by", ["second"], "figure helpful_wins", {"method": "pairwise", "opponents_by": ["first"]}),
        {},
    ),
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
    *shared_cases(requests=8, another=OTHERS),
    (Case("drop_by", "length_normalised", '"rule": "low_helpful"', DROPPING), {}),
]
