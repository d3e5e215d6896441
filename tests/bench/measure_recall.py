"""What each rule of decontaminate catches of real benchmarks' items after real kinds of edits.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/measure_recall.py

Copies of HumanEval, GSM8K, MT-bench and IFEval items are changed as `decontaminate.measure_recall` changes them and
sent through one rule at a time; beside it, the rows of 112,000 unrelated and related texts that the rule would drop.
"""

import pyarrow.parquet as pq

from conftest import SHARED_DATA
from contract.config.decontaminate import Benchmark, DecontaminateConfig, Rephrased
from curate.decontaminate.benchmarks import read_items
from curate.decontaminate.matching import Matcher
from curate.decontaminate.recall import measured
from curate.threads import in_order

FILES = {
    "humaneval": "humaneval.jsonl.gz",
    "gsm8k": "gsm8k_test.jsonl",
    "mt_bench": "mt_bench.jsonl",
    "ifeval": "ifeval.jsonl",
}
ALONE = {"exact": False, "coverage": 1.0}
RULES = {
    "8-grams, coverage > 0.5 (default)": DecontaminateConfig(),
    "13-gram any match": DecontaminateConfig(**ALONE, any_match=True),
    "near, Jaccard >= 0.5": DecontaminateConfig(**ALONE, near=0.5),
    "weighted >= 0.8, question only": DecontaminateConfig(**ALONE, weighted=0.8),
    "weighted >= 0.5, question only": DecontaminateConfig(**ALONE, weighted=0.5),
    "rephrased >= 0.9": DecontaminateConfig(**ALONE, rephrased=Rephrased()),
}


def main() -> None:
    benchmarks = [
        Benchmark(name=name, uri=str(SHARED_DATA / "benchmarks" / file), answer=[]) for name, file in FILES.items()
    ]
    items = [item for benchmark in benchmarks for item in read_items(benchmark)]
    for rule, config in RULES.items():
        matcher = Matcher(items, config)
        shares = {(recall.benchmark, recall.kind): recall.share for recall in measured(matcher, items, {})}
        kinds = list(dict.fromkeys(kind for _, kind in shares))
        print(f"\n{rule}: {rows_dropped(matcher):,} of 112,000 rows")
        print(f"{'share caught':<14}" + "".join(f"{kind:>12}" for kind in kinds))
        for benchmark in FILES:
            print(f"{benchmark:<14}" + "".join(f"{shares[benchmark, kind]:>12.1%}" for kind in kinds))


def rows_dropped(matcher: Matcher) -> int:
    """How many rows of the large corpus the rule drops."""
    batches = pq.ParquetFile(SHARED_DATA / "neardup" / "short.parquet").iter_batches(2_000, columns=["text"])
    return sum(len(found.held) for found in in_order(lambda batch: matcher.matches(batch.column("text")), batches))


if __name__ == "__main__":
    main()
