"""Statistics and the funnel of rows, as `report.html` and `report.json`.

Reads samples, and the manifests and previews of every step before. Writes no rows and drops nothing.
"""

import json
import os

from contract.records import Sample
from curate.explore.funnel import funnel
from curate.explore.page import page
from curate.explore.statistics import Statistics
from stagekit.job import Job
from stagekit.schema import to_rows


def run(job: Job) -> None:
    """Count, then write both files."""
    statistics = Statistics(job.config.examples)
    for batch in job.input("rows").batches():
        statistics.add(to_rows(batch, Sample))
    steps = funnel(job.inputs.get("steps", []), job.config.examples)
    data = statistics.as_json()
    title = os.environ.get("NOCTURNE_RECIPE") or "dataset"
    job.output.add_text("report.json", json.dumps(data | {"funnel": steps}, ensure_ascii=False, indent=1))
    job.output.add_text("report.html", page(title, data, steps, statistics.conversations()))
    text = data["text"]
    job.output.metrics |= {
        "samples": data["samples"],
        "documents": data["documents"],
        "mean_answer_words": text["answer"]["words"].get("mean"),
        "vocabulary": text["answer"]["vocabulary"],
        "distinct_trigrams": text["instruction"]["distinct_ngrams"]["3"],
    }
