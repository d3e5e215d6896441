"""Statistics, topics and the funnel of rows, as `report.html` and `report.json`; of topics more in `topics.json`.

Reads samples, and the manifests and previews of every step before. Writes no rows and drops nothing. Topics and
languages rest on a bounded draw of the samples. Raises `BadConfig` where DBSCAN's distance makes all samples
neighbours, `BadInput` for an encoder that cannot be read.
"""

import json
import os
from typing import Any

from contract.config.explore import ExploreConfig
from contract.records import Sample
from curate.explore.draw import Draw, Drawn
from curate.explore.funnel import funnel
from curate.explore.languages import languages
from curate.explore.page import page
from curate.explore.statistics import Statistics
from curate.explore.topics import Found, find_topics
from stagekit.job import Job
from stagekit.schema import to_rows


def run(job: Job) -> None:
    """Count, find topics, then write the files."""
    config: ExploreConfig = job.config
    statistics = Statistics(config.examples)
    drawn = Draw(config.sample, config.topics.field if config.topics else "answer")
    for batch in job.input("rows").batches():
        samples = to_rows(batch, Sample)
        statistics.add(samples)
        drawn.add(samples)
    rows = drawn.rows()
    found = _topics(job, rows)
    data = statistics.as_json() | {
        "languages": languages(rows) if config.languages else None,
        "topics": found.summary(statistics.samples) if found else None,
    }
    steps = funnel(job.inputs.get("steps", []), config.examples)
    title = os.environ.get("NOCTURNE_RECIPE") or "dataset"
    spots = found.spots if found else []
    job.output.add_text("report.json", _json(data | {"funnel": steps}))
    job.output.add_text("report.html", page(title, data, steps, statistics.conversations(), spots))
    if found:
        job.output.add_text("topics.json", _json(found.as_json(statistics.samples)))
    job.output.metrics |= _metrics(data)


def _topics(job: Job, rows: list[Drawn]) -> Found | None:
    config: ExploreConfig = job.config
    if not config.topics:
        return None
    return find_topics(rows, config.topics, config.examples, job.cache("embeddings"))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _metrics(data: dict[str, Any]) -> dict[str, float | int | str | None]:
    text = data["text"]
    return {
        "samples": data["samples"],
        "documents": data["documents"],
        "mean_answer_words": text["answer"]["words"].get("mean"),
        "vocabulary": text["answer"]["vocabulary"],
        "distinct_trigrams": text["instruction"]["distinct_ngrams"]["3"],
        "topics": len(data["topics"]["topics"]) if data["topics"] else None,
        "languages": data["languages"]["known"] if data["languages"] else None,
    }
