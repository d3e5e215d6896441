"""What a run says that it will cost, against what it did cost, on the real articles: within a tenth.

`pytest -s` prints the figures.
"""

import json
import re

import pytest

from contract.records import Chunk, Sample
from contract.uris import parse_uri
from curate_texts import read, write_dataset
from evolve_runs import Evolve
from generate.llm.sampling import sampled
from judge_runs import Judge, sample
from judge_server import JudgeServer
from llm_chunks import write_chunks
from llm_runs import PRICE, InProcess, Instruct, Made
from llm_server import Behaviour, LlmServer, _hash
from scripted_llm import Evolver, ScriptedServer
from stagekit.dataset import open_dataset

FAULTS = {"malformed": 0.05, "refusal": 0.02, "short": 0.05, "server_error": 0.03, "like_a_tokenizer": True}
TAUGHT = 3
"""One row in so many is asked first."""


@pytest.fixture(scope="module")
def chunks(article_chunks) -> list[Chunk]:
    if not article_chunks:
        pytest.skip("no real articles (set NOCTURNE_SHARED_DATA)")
    return list(open_dataset(parse_uri(article_chunks)).records(Chunk))


@pytest.fixture(scope="module")
def samples(chunks) -> list[Sample]:
    """A sample about each chunk: an instruction and an answer of its own words, of all lengths."""
    rows = []
    for number, chunk in enumerate(chunks):
        sentences = re.split(r"(?<=[.?!])\s+", chunk.text)
        rows.append(
            Sample(
                id=f"s{number:03}",
                messages=[
                    {"role": "user", "content": f"Explain: {sentences[0][:200]}"},
                    {"role": "assistant", "content": " ".join(sentences[1 : 2 + _hash(chunk.id) % 6]) or "Nothing."},
                ],
            )
        )
    return rows


def close(made: Made, share: float = 0.1) -> None:
    estimated, actual = made.manifest.metrics["estimated_money"], made.manifest.cost.money
    print(f"\nestimated {estimated:.6f}, spent {actual:.6f}: {estimated / actual - 1:+.1%}")
    assert estimated == pytest.approx(actual, rel=share)
    assert 'rests_on="what these prompts took before"' in made.ended.stderr


def prompts_are_close(made: Made, share: float = 0.25) -> None:
    """The first estimate knows no answers, but the prompts as they will be sent, at four characters a token; of re-asks
    it knows nothing."""
    about = int(re.search(r"prompt_tokens_about=(\d+)", made.ended.stderr).group(1))
    print(f"\nfirst: prompt tokens about {about}, {made.manifest.cost.prompt_tokens} counted")
    assert about == pytest.approx(made.manifest.cost.prompt_tokens, rel=share)
    assert "estimated_money" not in made.manifest.metrics
    assert 'rests_on="the length of prompts, max_tokens"' in made.ended.stderr
    assert "completion_tokens_at_most" in made.ended.stderr


class Terse(LlmServer):
    """Its answers are some sentences long: what stands between two full stops of an article may be a page of code."""

    def _text(self, what, body) -> str:
        text = super()._text(what, body)
        if what != "good":
            return text
        return json.dumps({"pairs": [pair | {"answer": pair["answer"][:240]} for pair in json.loads(text)["pairs"]]})


def test_instruct(chunks, tmp_path):
    few, every = (write_chunks(tmp_path, some, f"n{len(some)}") for some in (chunks[::TAUGHT], chunks))
    with Terse(Behaviour(**FAULTS)) as server:
        first = Instruct(InProcess(tmp_path), few, server)("few", concurrency=32)
        made = Instruct(InProcess(tmp_path), every, server)("all", concurrency=32)
    prompts_are_close(first)
    close(made)


def evolver() -> Evolver:
    """Its rewritings grow, one in five brings nothing new, its answers are of many lengths."""
    return Evolver(
        rewrite=lambda text, what: f"{text} Take into account: {what}",
        same=lambda before, after: _hash(after) % 5 == 0,
        answer=lambda text, model: f"{model} says: " + " ".join([text[8:90]] * (3 + _hash(text) % 3)),
        rate=lambda answer, aspect: 1 + _hash(answer + aspect) % 5,
    )


@pytest.mark.parametrize("compared", [False, True], ids=["one answer", "compared"])
def test_evolve(samples, tmp_path, compared):
    some = samples[::5] if compared else samples
    with ScriptedServer(evolver(), behaviour=Behaviour(**FAULTS)) as server:
        evolve = Evolve(tmp_path, server)
        models = [evolve.endpoint(model) | {"price": PRICE} for model in ("one", "two", "judge")]
        config = {"compare": {"answerers": models[:2], "judge": models[2], "of": "all"}} if compared else {}
        first = evolve(some[::TAUGHT], "few", concurrency=32, **config)
        made = evolve(some, "all", concurrency=32, **config)
    assert "completion_tokens_at_most" in first.ended.stderr
    close(made)


@pytest.mark.parametrize("config", [{"criteria": ["helpful-1", "written-1"]}, {"method": "pairwise"}], ids=str)
def test_judge(samples, tmp_path, config):
    def script(shown):
        said = {"feedback": "so " * (3 + _hash(shown.text) % 30)}
        return said | ({"better": "A"} if shown.is_pair else {"score": 1 + _hash(shown.text) % 4})

    with JudgeServer(script) as server:
        server.behave(**FAULTS)
        if config.get("method"):
            config = config | {"opponent": {"model": "rival", "base_url": server.url, "price": PRICE}}
        judge = Judge(tmp_path, server)
        first = judge(samples[:: 3 * TAUGHT], "few", concurrency=32, **config)
        made = judge(samples[::3], "all", concurrency=32, **config)
    if not config.get("method"):
        prompts_are_close(first)
    close(made)


def test_a_run_that_did_not_come_to_its_end_teaches_what_it_saw(samples, tmp_path):
    with ScriptedServer(evolver(), behaviour=Behaviour(**FAULTS)) as server:
        evolve = Evolve(tmp_path, server)
        evolve(samples[::4], "few", budget={"requests": 150}, concurrency=1)
        made = evolve(samples[::4], "all")
        known = made.manifest.metrics["estimated_money"]
        assert known == pytest.approx(made.manifest.cost.money, rel=0.6), "how many evolutions end early is not known"
        again = evolve(samples[1::4], "others")
    close(again)


def test_rows_are_drawn_from_all_of_a_dataset_and_always_the_same(tmp_path):
    uri = write_dataset(tmp_path / "rows", [sample(n, 1) for n in range(2_310)], Sample)
    found = [row.id for row in sampled(read(uri), Sample, 100)]
    assert found == sorted(set(found)) == [row.id for row in sampled(read(uri), Sample, 100)]
    assert len(found) == 100
    assert all(sum(f"s{n:04}" <= id < f"s{n + 770:04}" for id in found) > 20 for n in (0, 770, 1_540))
    assert len(sampled(read(uri), Sample, 2_310)) == 2_310
