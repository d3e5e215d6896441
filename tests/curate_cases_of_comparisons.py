"""Values that show what each field of deduplicate's and decontaminate's config does."""

from every_field import Case

BENCH = {"benchmarks": [{"uri": "raw/bench.jsonl", "name": "exam", "fields": ["question"]}]}
TASKS = {"benchmarks": [{"uri": "raw/tasks.jsonl", "name": "exam", "fields": ["question"]}], "rephrased": {}}
NEAREST = TASKS | {"rephrased": {"candidates": 1, "embedding": {"model": "models/garden", "candidates": 1}}}
REWORDED = {"benchmarks": [BENCH["benchmarks"][0] | {"paraphrases": {"uri": "raw/bench.jsonl", "field": "question"}}]}
REWORDED |= {"measure_recall": True}
EASY = {"uri": "raw/lists.json", "records_at": "easy", "field": "question"}
REWORDED_EASY = {"benchmarks": [BENCH["benchmarks"][0] | {"paraphrases": EASY}], "measure_recall": True}
ALONE = {"exact": False, "coverage": 1}  # without the rules that are on by default
LONG_BENCH = {"benchmarks": [{"uri": "raw/long.jsonl", "name": "exam", "fields": ["question"]}]}
EASY_BENCH = {"benchmarks": [{"uri": "raw/lists.json", "records_at": "easy", "name": "exam", "fields": ["question"]}]}
NEAR = {"ngram": 5, "threshold": 0.8}
BEST = {"field": "answer", "ngram": 1, "threshold": 0.3, "keep": "best", "score": "quality"}
LOOSE = {"threshold": 0.15}
MEANING = {"exact": False, "near": False, "semantic": LOOSE}
GROUPED = {"semantic": LOOSE | {"clusters": 9}}
KMEANS = MEANING | {"semantic": LOOSE | {"grouping": "kmeans", "clusters": 9}}
DENSE = MEANING | {"semantic": LOOSE | {"grouping": "dbscan"}}
MOSTLY = {"near": False, "substring": {"length": 20, "action": "drop"}}
MODEL = {"semantic": {"embedding": {"encoder": "sentence_transformer", "model": "models/one"}}}
SHARED = {"near": False, "substring": {"length": 20}}

COMPARISON_CASES: dict[str, list[Case]] = {
    "deduplicate": [
        Case("field", "answer", '"rule": "exact", "id": "sample-0"', {"field": "instruction"}, "pairs"),
        Case("exact", False, '"rule": "exact"', {"near": False}, "dupes"),
        Case("near", False, '"rule": "near_duplicate", "id": "doc-0"', NEAR, "dupes"),
        Case("threshold", 0.5, '"id": "doc-3"', NEAR, "dupes"),
        Case("ngram", 1, '"rule": "near_duplicate", "id": "doc-4"', NEAR, "dupes"),
        Case("engine", "datasketch", "figure candidate_pairs", NEAR, "family"),
        Case("keep", "first", '"id": "doc-2"', NEAR, "dupes"),
        Case("keep", "oldest", '"id": "doc-1"', NEAR, "dupes"),
        Case("score", "other", '"partner": "sample-', BEST, "scored"),
        Case("semantic.threshold", 0.999, '"rule": "semantic_duplicate"', MEANING, "dupes"),
        Case("semantic.grouping", "kmeans", "semantic_duplicate", MEANING | GROUPED, "family"),
        Case("semantic.clusters", 1, "semantic_duplicate", KMEANS, "family"),
        Case("semantic.neighbours", 30, "semantic_duplicate", DENSE, "dupes"),
        Case("semantic.keep", "most_distant", "semantic_duplicate", MEANING, "family"),
        Case("semantic.embedding.encoder", "sentence_transformer", "failure BadConfig", MEANING, "dupes"),
        Case("semantic.embedding.model", "models/other", "figure encoder", MEANING | MODEL, "dupes"),
        Case("semantic.embedding.dimension", 40, "figure encoder", MEANING, "family"),
        Case("semantic.embedding.training_words", 1_000, "figure encoder", MEANING, "family"),
        Case("semantic.embedding.epochs", 2, "figure encoder", MEANING, "family"),
        Case("substring.length", 50, '"rule": "mostly_shared"', SHARED, "family"),
        Case("substring.action", "report", "file passages.jsonl", SHARED, "family"),
        Case("substring.share", 0.9, '"rule": "mostly_shared"', MOSTLY, "family"),
        Case("substring.minimum", 0, '"rule": "mostly_shared"', SHARED, "family"),
        Case("against.uri", "dupes", '"partner": "doc-2"', NEAR | {"against": [{"uri": "family"}]}, "dupes"),
        Case("previous.uri", "before", '"partner": "doc-1"', NEAR | {"previous": {"uri": "publish/latest"}}, "dupes"),
        Case("remember", False, "figure remembered_bytes", NEAR, "dupes"),
        Case("seed", 2, "figure candidate_pairs", NEAR, "family"),
        Case("workers", 3, "threads 3", {"workers": 1}, "dupes"),
        Case("shard_rows", 1, "shards 3 and 2", NEAR, "dupes"),
    ],
    "decontaminate": [
        Case("field", "answer", "sample-", BENCH | {"field": "instruction"}, "asked"),
        Case("benchmarks.uri", "raw/long.jsonl", '"partner": "exam:2"', BENCH, "held"),
        Case("benchmarks.records_at", "hard", '"partner": "exam:1"', EASY_BENCH, "held"),
        Case("benchmarks.name", "quiz", '"partner": "quiz:1"', BENCH, "held"),
        Case("benchmarks.fields", ["hint"], '"partner": "exam:1"', BENCH, "held"),
        Case("exact", False, '"id": "doc-2"', BENCH, "held"),
        Case("ngram", 13, '"id": "doc-1"', BENCH, "held"),
        Case("coverage", 0.9, '"id": "doc-1"', BENCH, "held"),
        Case("any_match", True, '"rule": "any_match", "id": "doc-3"', LONG_BENCH, "held"),
        Case("near", 0.3, '"rule": "near", "id": "doc-3"', LONG_BENCH, "held"),
        Case("weighted", 0.8, '"rule": "weighted", "id": "doc-0"', BENCH | ALONE, "held"),
        Case("benchmarks.question", ["hint"], '"id": "doc-0"', BENCH | ALONE | {"weighted": 0.8}, "held"),
        Case("benchmarks.answer", ["hint"], '"id": "doc-0"', BENCH | ALONE | {"weighted": 0.8}, "held"),
        Case("rephrased.threshold", 0.95, '"rule": "rephrased", "id": "doc-inflected"', TASKS, "reworded"),
        Case("rephrased.candidates", 1, '"rule": "rephrased", "id": "doc-inflected"', TASKS, "reworded"),
        Case("rephrased.embedding.model", "models/other", "figure encoder", NEAREST, "reworded"),
        Case("rephrased.embedding.candidates", 2, '"rule": "rephrased", "id": "doc-inflected"', NEAREST, "reworded"),
        Case("rephrased.embedding.cosine", 0.9, '"rule": "rephrased", "id": "doc-1"', NEAREST, "reworded"),
        Case("rephrased.check", 0.5, "to_check.jsonl", TASKS | {"rephrased": {"threshold": 0.95}}, "reworded"),
        Case("measure_recall", True, "figure exam_recall_words_5", BENCH, "held"),
        Case("benchmarks.paraphrases.uri", "raw/tasks.jsonl", "figure exam_recall_paraphrase", REWORDED, "held"),
        Case("benchmarks.paraphrases.field", "hint", "figure exam_recall_paraphrase", REWORDED, "held"),
        Case("benchmarks.paraphrases.records_at", "hard", "figure exam_recall_paraphrase", REWORDED_EASY, "held"),
        Case("origins.domains", ["judge.example"], '"rule": "origin", "id": "doc-judge"', data="from"),
        Case("origins.sources", ["Exam-Set"], '"rule": "origin", "id": "doc-set"', data="from"),
        Case("origins.licenses", ["exam only"], '"rule": "origin", "id": "doc-licence"', data="from"),
        Case("workers", 3, "threads 3", BENCH | {"workers": 1}, "held"),
        Case("shard_rows", 1, "shards 1 and 4", BENCH, "held"),
    ],
}  # fmt: skip
