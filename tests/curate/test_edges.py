"""Datasets of no row and of one row through the stages that compare rows: an answer or a clear refusal, never a bug."""

import pytest

from contract.records import Document, Sample
from curate_texts import document, sample, write_dataset

OUTCOMES = {
    ("deduplicate", 0): 12,
    ("deduplicate", 1): 0,
    ("decontaminate", 0): 12,
    ("decontaminate", 1): 0,
    ("mix", 0): 12,
    ("mix", 1): 0,
    ("explore", 0): 0,
    ("explore", 1): 0,
    ("publish", 0): 11,
    ("publish", 1): 11,
}


@pytest.mark.parametrize(("stage", "rows"), OUTCOMES)
def test_no_row_and_one_row(run_stage, tmp_path, stage, rows):
    of_samples = stage in ("mix", "explore", "publish")
    made = [sample(0, "What \x00 is \u202eit?", "🦉 \u0000") if of_samples else document(0, "🦉 \x00\u202e")][:rows]
    uri = write_dataset(tmp_path / "in", made, Sample if of_samples else Document)
    ended = run_stage("curate", stage, {}, [("rows", uri)])
    assert ended.exit_code == OUTCOMES[stage, rows], ended.stderr
    assert "Traceback" not in ended.stderr
