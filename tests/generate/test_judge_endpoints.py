"""A judge at several servers: a verdict is always of the model that it is counted for."""

import pytest
from pydantic import ValidationError

from contract.config.judge import JudgeConfig
from judge_runs import Judge, check_judged, sample
from judge_server import JudgeServer

ROWS = [sample(n, 1 + n % 4) for n in range(4)]


@pytest.fixture
def servers():
    """One that works, one that is dead, and a third."""
    with JudgeServer() as server, JudgeServer() as dead, JudgeServer() as other:
        dead.behave(status=503)
        yield server, dead, other


@pytest.fixture
def judge(tmp_path, servers):
    return Judge(tmp_path, servers[0])


def at(server: JudgeServer, model: str) -> dict:
    return {"model": model, "base_url": server.url, "price": {"prompt": 1, "completion": 1}}


def models(server: JudgeServer) -> set[str]:
    return {request.body["model"] for request in server.seen}


def test_the_same_model_elsewhere_stands_in_for_a_judge(judge, servers):
    server, dead, other = servers
    jury = [at(server, "one"), at(dead, "org/Two")]
    made = judge(ROWS, judges=jury, fallbacks=[at(other, "one"), at(other, "two")], attempts=1)
    check_judged(made)
    assert made.manifest.accounts["verdicts"].kept == 8
    assert (models(server), models(other)) == ({"one"}, {"two"})
    assert made.manifest.metrics["answered_by_fallback"] == 4


def test_no_other_model_does(judge, servers):
    server, dead, other = servers
    jury = [at(server, "one"), at(dead, "two")]
    assert judge(ROWS, judges=jury, fallbacks=[at(other, "one")], attempts=1).ended.exit_code == 13
    assert other.seen == []


def test_the_opponents_model_stands_in_for_the_opponent_alone(judge, servers):
    server, dead, other = servers
    made = judge(ROWS, method="pairwise", opponent=at(dead, "rival"), fallbacks=[at(other, "rival")], attempts=1)
    check_judged(made)
    assert (models(server), models(other)) == ({"gpt-4o-mini"}, {"rival"})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"fallbacks": [{"model": "other"}]}, "fallback other is another model than gpt-4o-mini"),
        (
            {"judges": [{"model": "a"}, {"model": "b"}], "fallbacks": [{"model": "gpt-4o-mini"}]},
            "gpt-4o-mini is another model than a, b",
        ),
        ({"endpoints": [{"model": "gpt-4o-mini"}, {"model": "x"}]}, "x among `endpoints` is another model"),
        ({"judges": [{"model": "a"}], "endpoints": [{"model": "gpt-4o-mini"}]}, "or a jury of both under `judges`"),
    ],
)
def test_another_model_may_not_speak_in_a_judges_name(config, said):
    with pytest.raises(ValidationError, match=said):
        JudgeConfig(**config)


def test_an_organisation_before_the_name_makes_no_other_model():
    stand_in, share = {"model": "openai/GPT-4o-mini"}, {"model": "gpt-4o-mini", "weight": 2}
    config = JudgeConfig(fallbacks=[stand_in], endpoints=[share])
    assert [one.model for one in config.stand_ins("gpt-4o-mini")] == ["openai/GPT-4o-mini"]
