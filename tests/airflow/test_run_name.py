"""What a DAG run's stages spend counts together: the run's name reaches each of them."""

from types import SimpleNamespace

from airflow_side.operator import run_name


def test_a_cleared_or_retried_task_stays_in_its_run():
    one = SimpleNamespace(dag_id="refresh_demo", run_id="manual__1", task_id="instruct", try_number=1)
    same = SimpleNamespace(dag_id="refresh_demo", run_id="manual__1", task_id="judge", try_number=3)
    another = SimpleNamespace(dag_id="refresh_demo", run_id="manual__2", task_id="instruct", try_number=1)
    assert run_name(one) == run_name(same) != run_name(another)
    assert run_name(one).isalnum()
