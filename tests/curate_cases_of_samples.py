"""Values that show what each field of the config of the stages that work on samples does."""

from every_field import Case

EASY_MIX = {"datasets": [{"uri": "raw/lists.json", "records_at": "easy", "name": "general"}]}
MIX = {"datasets": [{"uri": "raw/alpaca.jsonl", "name": "general"}]}
TAKE = {"datasets": [{"uri": "raw/alpaca.jsonl", "name": "general", "take": 3}]}
DECIDE = {"sources": [{"uri": "raw/decisions.jsonl"}], "max_rejected": 0.5}
DECIDE_BOTH = DECIDE | {"sources": [{"uri": "raw/decisions.jsonl"}, {"uri": "raw/more_decisions.jsonl"}]}
DECIDE_LISTS = {"sources": [{"uri": "raw/lists_of_decisions.json", "records_at": "early"}]}
LEARNT = {"topics": {"embedding": {"dimension": 20}}}
ENCODED = {"topics": {"embedding": {"encoder": "sentence_transformer", "model": "models/one"}}}
LEARN = {"score": "quality", "buckets": 1_000}

SAMPLE_CASES: dict[str, list[Case]] = {
    "decide": [
        Case("sources.uri", "raw/more_decisions.jsonl", '"verdict": "reject"', DECIDE),
        Case("sources.records_at", "late", '"verdict": "reject"', DECIDE_LISTS),
        Case("sources.optional", False, "failure BadInput", {"sources": [{"uri": "raw/no_decisions"}]}),
        Case("names", {"u1": "ann"}, '"reviewer": "ann"', DECIDE),
        Case("max_rejected", 0.1, "failure BadInput: 1 of 2 lines", DECIDE),
        Case("shard_rows", 1, "shards 2 and 1", DECIDE_BOTH),
    ],
    "learn_quality": [
        Case("field", "instruction", "file model.bin", LEARN, "scored"),
        Case("labels", "decisions", "failure BadConfig", LEARN, "scored"),
        Case("score", "other", '"rule": "between"', LEARN | {"high": 4.4, "low": 2}, "scored"),
        Case("high", 4.4, '"rule": "between"', LEARN, "scored"),
        Case("low", 0.6, '"rule": "between"', LEARN, "scored"),
        Case("held_out", 0.4, "figure held_out", LEARN, "scored"),
        Case("minimum_auc", 1.0, "failure BadInput", LEARN | {"epochs": 1, "learning_rate": 1e-6}, "scored"),
        Case("dimension", 8, "file model.bin", LEARN, "scored"),
        Case("ngram", 3, "file model.bin", LEARN, "scored"),
        Case("buckets", 2_000, "file model.bin", LEARN, "scored"),
        Case("epochs", 3, "file model.bin", LEARN, "scored"),
        Case("learning_rate", 0.1, "file model.bin", LEARN, "scored"),
        Case("seed", 1, "figure held_out", LEARN, "scored"),
    ],
    "review": [
        Case("sample", 5, "review/sample.jsonl", data="scored"),
        Case("reviewers", 2, '"min_submitted": 2', data="scored+verdicts"),
        Case("topic", "source", '"topic":"source 1"', data="scored"),
        Case("score", "quality", '"score":"all"', data="scored"),
        Case("score_bounds", [2.0], '"score":"below 2"', {"score": "quality"}, "scored"),
        Case("length_bounds", [300], '"length":"below 300"', data="scored"),
        Case("rejected_by", "any", '"rule": "rejected", "id": "sample-2"', data="scored+verdicts"),
        Case("unreviewed", "drop", '"rule": "unreviewed", "id": "sample-0"', data="scored+verdicts"),
        Case("checklist", ["It is right", "It is kind"], "It is kind", data="scored"),
        Case("guidelines", "Be kind.", "Be kind.", data="scored"),
        Case("seed", 4, "review/sample.jsonl", {"sample": 9}, "scored"),
        Case("shard_rows", 50, "shards 3 and 0", data="scored"),
    ],
    "mix": [
        Case("datasets.uri", "raw/other.jsonl", "Done other", MIX, "pairs"),
        Case("datasets.records_at", "hard", "Done with pains", EASY_MIX, "pairs"),
        Case("datasets.name", "world", '"source": "world"', MIX, "pairs"),
        Case("datasets.format", "openai", "failure BadInput: no usable row", MIX, "pairs"),
        Case("datasets.take", 2, '"rule": "beyond_take"', MIX, "pairs"),
        Case("datasets.share", 0.2, "figure general_taken 1", MIX, "pairs"),
        Case("datasets.repeat", 2, '-2", "messages"', MIX, "pairs"),
        Case("datasets.license", "MIT", '"license": "MIT", "split": null', MIX, "pairs"),
        Case("seed", 1, '"rule": "beyond_take"', TAKE, "pairs"),
        Case("shard_rows", 2, "shards 7 and 0", MIX, "pairs"),
    ],
    "explore": [
        Case("examples", 0, "report.html", {"examples": 3}, "pairs"),
        Case("sample", 20, '"sampled": 20', {}, "scored"),
        Case("languages", False, "figure languages", {}, "pairs"),
        Case("topics.field", "instruction", "file topics.json", {}, "scored"),
        Case("topics.embedding.encoder", "sentence_transformer", "failure BadConfig", LEARNT, "scored"),
        Case("topics.embedding.model", "models/other", "file topics.json", ENCODED, "scored"),
        Case("topics.embedding.dimension", 40, "file topics.json", LEARNT, "scored"),
        Case("topics.embedding.training_words", 1_000, "file topics.json", LEARNT, "scored"),
        Case("topics.embedding.epochs", 9, "file topics.json", LEARNT, "scored"),
        Case("topics.dimensions", 2, "file topics.json", {}, "scored"),
        Case("topics.method", "hdbscan", '"outside": ', {}, "scored"),
        Case("topics.count", 5, "figure topics 5", {}, "scored"),
        Case("topics.least", 100, "figure topics 0", {"topics": {"method": "hdbscan", "dimensions": 2}}, "scored"),
        Case("topics.distance", 1e-6, '"outside": 120', {"topics": {"method": "dbscan", "dimensions": 2}}, "scored"),
        Case("topics.terms", 4, "file topics.json", {}, "scored"),
        Case("topics.layout", "pca", "file topics.json", {}, "scored"),
        Case("topics.points", 3, "3 samples are shown", {}, "scored"),
        Case("topics.seed", 2, "file topics.json", {}, "scored"),
    ],
    "publish": [
        Case("test_share", 0.4, "figure test_rows", data="many"),
        Case("near_duplicate", 0.5, "figure groups", {"near_duplicate": 0.9}, "many"),
        Case("formats", ["text"], "file text/train.jsonl", data="many"),
        Case("title", "A fine title", "# A fine title", data="many"),
        Case("license", "cc0-1.0", "cc0-1.0", data="many"),
        Case("hub", "owner/name", 'load_dataset("owner/name"', data="many"),
        Case("hub_private", False, "on the hub, private: False", {"hub": "owner/name"}, "many"),
        Case("seed", 5, '"split": "test"', data="many"),
        Case("shard_rows", 9, "shards 3 and 0", data="many"),
    ],
}  # fmt: skip
