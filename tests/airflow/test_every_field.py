"""Fields of a recipe that no step knows: each, changed, changes the DAGs that Airflow sees."""

import shutil
from pathlib import Path

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag

from airflow_side.form import FIXED

DAGS = Path(__file__).resolve().parents[2] / "dags"
TRIAL = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}}
CASES = {
    "name": ("other", "refresh_other"),
    "title": ("Trials and errors", "Trials and errors"),
    "owner": ("vera", "owner vera"),
    "schedule": ("5 4 * * *", "schedule 5 4 * * *"),
    "limits.minutes": (90, "timeout 1:30:00"),
    "publish_approval_hours": (3, "task approve"),
    "finetune": (None, "finetune_trial"),
}
"""Field -> another value, and what shows in only one of the two sets of DAGs."""
SHOWN_ELSEWHERE = {
    "on_empty",  # by running a stage that leaves nothing, in test_how_stages_end.py
    "register.approved_by",  # refused in a recipe, and written by whoever answers: test_approval.py
}


@pytest.fixture
def seen(tmp_path):
    """What Airflow makes of a recipe, as lines."""

    def call(name: str, recipe: dict) -> set[str]:
        folder = tmp_path / name
        shutil.copytree(DAGS, folder, ignore=shutil.ignore_patterns("recipes", "__pycache__"))
        (folder / "recipes").mkdir()
        (folder / "recipes" / f"{recipe['name']}.yaml").write_text(yaml.safe_dump(recipe))
        bag = DagBag(str(folder))
        assert bag.import_errors == {}
        return {line for dag in bag.dags.values() for line in _lines(dag)}

    return call


def _lines(dag) -> list[str]:
    facts = {
        "title": dag.dag_display_name,
        "description": dag.description,
        "schedule": getattr(dag.timetable, "expression", dag.timetable),
        "timeout": dag.dagrun_timeout,
        "tags": sorted(dag.tags),
        "outlets": [asset.uri for task in dag.tasks for asset in task.outlets],
    }
    own = {f"owner {task.owner}" for task in dag.tasks} | {f"task {task.task_id}" for task in dag.tasks}
    return [f"{dag.dag_id} {line}" for line in own | {f"{name} {value}" for name, value in facts.items()}]


@pytest.mark.parametrize("field", CASES)
def test_the_field_changes_the_dags(seen, field):
    value, shows = CASES[field]
    section, _, rest = field.partition(".")
    changed = TRIAL | {section: {rest: value} if rest else value}
    different = seen("before", TRIAL) ^ seen("after", changed)
    assert any(shows in line for line in different), different


def test_no_field_is_forgotten():
    assert set(CASES) | SHOWN_ELSEWHERE == FIXED
