"""The keys that a recipe asks for by name reach the stage that asks, and no other secret does."""

from types import SimpleNamespace

import pytest

from airflow_side.flow import refresh_flow
from airflow_side.operator import StageOperator
from airflow_side.secrets import secrets_for
from airflow_side.settings import read_settings
from contract.config.clean import CleanConfig
from contract.config.instruct import InstructConfig
from contract.config.llm import Endpoint
from contract.recipe import Recipe

TWO = InstructConfig(key="TOGETHER_API_KEY", fallbacks=[Endpoint(model="m", key="GROQ_API_KEY")])


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TOGETHER_API_KEY", "GROQ_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_named_keys_come_from_the_environment_or_from_a_connection_each(monkeypatch):
    monkeypatch.setenv("TOGETHER_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_LLM_GROQ_API_KEY", '{"conn_type": "http", "password": "sk-of-groq"}')
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_LLM", '{"conn_type": "http", "password": "sk-openai"}')
    found = secrets_for("generate", TWO)
    assert found["TOGETHER_API_KEY"] == "sk-from-the-environment"
    assert found["GROQ_API_KEY"] == "sk-of-groq"
    assert found["OPENAI_API_KEY"] == "sk-openai"


def test_what_no_config_names_stays_where_it_is(monkeypatch):
    monkeypatch.setenv("TOGETHER_API_KEY", "sk-together")
    assert "TOGETHER_API_KEY" not in secrets_for("generate", InstructConfig())
    assert "TOGETHER_API_KEY" not in secrets_for("curate", CleanConfig())
    assert "GROQ_API_KEY" not in secrets_for("generate", TWO), "it is nowhere; the stage says so by name"


def test_a_stage_is_told_the_servers_of_the_recipes_file_whatever_the_form_says(monkeypatch):
    monkeypatch.setenv("NOCTURNE_KEY_SERVERS", "https://of.the.deployment")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    judge = {"criteria": ["helpful-1"], "judges": [{"model": "m", "base_url": "http://Judge:8000/v1"}]}
    recipe = Recipe.model_validate({"name": "r", "ingest": {"sources": [{"uri": "raw"}]}, "judge": judge})
    flow = refresh_flow(recipe)
    operator = StageOperator(flow=flow, step=next(step for step in flow.steps() if step.name == "instruct"))
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="instruct", map_index=-1, try_number=1)
    ti.xcom_pull = lambda task_ids: {"uri": "file:///chunks"}
    step = flow.step("instruct", {"instruct.base_url": "https://evil.example/v1"})
    spec = operator._spec(step, read_settings(), {"ti": ti})
    assert spec.env["NOCTURNE_KEY_SERVERS"] == "http://judge:8000 https://of.the.deployment"
