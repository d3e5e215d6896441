"""The keys that a recipe asks for by name reach the stage that asks, and no other secret does."""

import pytest

from airflow_side.secrets import secrets_for
from contract.config.clean import CleanConfig
from contract.config.instruct import InstructConfig
from contract.config.llm import Endpoint

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
