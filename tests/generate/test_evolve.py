"""evolve, end to end on scripted models: every operation, every elimination, where each sample comes from."""

import pytest

from contract.config.evolve import Operations
from contract.records import Message
from evolve_runs import Evolve, check_evolved
from generate.evolve import prompt, rubrics
from generate.evolve.checks import answer_fault
from generate.evolve.prompt import load_prompt
from scripted_llm import Evolver, ScriptedServer, clock_samples

OPERATIONS = tuple(Operations.model_fields)
PINNED = {
    "evolve-1": "60555d557906862d74dc21ae67ebdfa2e9ee04bfa16ad92d5141ac16d45ddd5f",
    "evolve-1.pl": "bd034883430ef51e18205296c60439c09e19f311558d590bfd5ecda3e4963b70",
    "ultrafeedback-1": "0790c23f74522576cb8189511e0645fb421ba7f67e6f06d736af1eb64d28ff10",
}
"""A published prompt never changes: datasets made with it keep their key. Copy it to the next number instead."""


@pytest.fixture
def model() -> Evolver:
    """What the server's model says."""
    return Evolver()


@pytest.fixture
def evolve(tmp_path, model):
    """Runs the stage against the scripted model."""
    with ScriptedServer(model) as server:
        yield Evolve(tmp_path, server)


def only(operation: str) -> dict[str, float]:
    return {name: float(name == operation) for name in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_makes_a_sample_of_its_own_kind(evolve, operation):
    made = evolve(clock_samples(4), operations=only(operation))
    check_evolved(made, 4)
    evolved = [sample for sample in made.samples if sample.kind == "evolved"]
    assert [sample.tags for sample in evolved] == [[operation, "round-1"]] * 4
    asked = [seen.body["messages"][1]["content"] for seen in evolve.server.seen]
    told = [text for text in asked if "What to " in text]
    assert {text.split()[0] for text in told} == {"Write" if operation == "breadth" else "Make"}
    words = load_prompt("evolve-1").file.operations[operation].partition("{{")[0]
    assert all(words in text for text in told)
    assert len(told) == 4


def test_a_sample_leads_back_to_seed_and_chunk(evolve):
    rows = clock_samples(3)
    made = evolve(rows, rounds=3)
    check_evolved(made, 3)
    by_id = {sample.id: sample for sample in made.samples}
    for seed in rows:
        line = [sample for sample in made.samples if seed.id in sample.parent_ids]
        assert [sample.parent_ids for sample in line] == [
            [seed.id],
            [seed.id, line[0].id],
            [seed.id, line[0].id, line[1].id],
        ]
        for sample in line:
            assert by_id[sample.parent_ids[0]] == seed
            for name in ("document_id", "chunk_id", "start", "end", "source", "license"):
                assert getattr(sample, name) == getattr(seed, name), name
            assert (sample.kind, sample.author, sample.model) == ("evolved", None, "gpt-4o-mini")
            assert sample.prompt_hash
            assert sample.response_hash
    assert [sample.id for sample in made.samples if sample.kind != "evolved"] == ["s0", "s1", "s2"]


def test_the_system_message_stays_and_is_heard(evolve):
    rows = clock_samples(1)
    told = Message(role="system", content="Speak like a sailor.")
    made = evolve([rows[0].model_copy(update={"messages": [told, *rows[0].messages]})])
    evolved = made.samples[-1]
    assert [message.role for message in evolved.messages] == ["system", "user", "assistant"]
    assert evolved.messages[0] == told
    assert any("Speak like a sailor." in seen.body["messages"][0]["content"] for seen in evolve.server.seen)


def test_another_model_may_answer(evolve):
    made = evolve(clock_samples(2), answerer=evolve.endpoint("careful"))
    assert [sample.model for sample in made.samples] == ["gpt-4o-mini", "careful"] * 2
    assert made.samples[1].answer.startswith("careful says")


LONG = "sorry " + "word " * 90
ELIMINATED = [
    ("no_change", {"rewrite": lambda text, _: text.upper()}, "EXPLAIN HOW"),
    ("no_gain", {"same": lambda *_: True}, "as asked"),
    ("copied_prompt", {"rewrite": lambda text, _: f"Rewritten prompt: {text} In verse."}, "rewritten prompt"),
    ("no_substance", {"rewrite": lambda *_: "... and the ?!"}, "... and the"),
    ("refusal", {"rewrite": lambda *_: "I'm sorry, but I cannot rewrite that."}, "I'm sorry"),
    ("refusal", {"answer": lambda *_: "That is beyond me, sorry about it."}, "beyond me"),
    ("no_substance", {"answer": lambda *_: "It is the, of and... is the"}, "It is the"),
    ("too_short", {"answer": lambda *_: "Pendulum."}, "1"),
    ("asks_back", {"answer": lambda *_: "Please provide the table that you mean."}, "Please provide"),
    ("asks_back", {"answer": lambda *_: "Understood! How can I help you with clocks?"}, "Understood!"),
    ("copied_instruction", {"answer": lambda text, _: f"{text}!"}, "Explain how"),
    ("malformed", {"rewrite": lambda *_: {"text": "no such field"}}, "instruction"),
    ("malformed", {"answer": lambda *_: "Half a pair: \ud83d"}, "half a UTF-16 pair"),
]


@pytest.mark.parametrize(
    ("rule", "said", "evidence"), ELIMINATED, ids=[f"{rule} {next(iter(said))}" for rule, said, _ in ELIMINATED]
)
def test_what_is_of_no_use_goes_and_the_ledger_says_why(evolve, model, rule, said, evidence):
    for part, answer in said.items():
        setattr(model, part, answer)
    made = evolve(clock_samples(3), reasks=1)
    check_evolved(made, 3)
    assert made.manifest.accounts["evolutions"].dropped == {rule: 3}
    assert made.manifest.accounts["rows"].kept == 3
    entry = next(entry for entry in made.ledger if entry.account == "evolutions")
    assert (entry.id, entry.partner) == ("s0#1", "s0")
    assert evidence in entry.value
    assert entry.detail in OPERATIONS


def test_a_long_answer_may_say_sorry(evolve, model):
    model.answer = lambda *_: f"The clockmaker said {LONG}"
    assert evolve(clock_samples(1)).manifest.accounts["evolutions"].kept == 1


def test_after_a_failure_the_next_round_starts_from_the_last_good_one(evolve, model):
    model.same = lambda before, after: after.count("Mind this") == 2 and "number 0" in after
    made = evolve(clock_samples(1), rounds=3)
    check_evolved(made, 1)
    assert made.manifest.accounts["evolutions"].dropped == {"no_gain": 2}
    first = made.samples[-1]
    assert [entry.id for entry in made.ledger if entry.account == "evolutions"] == ["s0#2", "s0#3"]
    assert first.parent_ids == ["s0"]
    assert len({seen.body["seed"] for seen in evolve.server.seen}) == 4, "each round is another draw of the model"


def test_operations_are_drawn_by_weight_and_by_hash(evolve):
    rows, weights = clock_samples(120), {**only("deepen"), "breadth": 3.0}
    settings = {"operations": weights, "check_gain": False}
    made = evolve(rows, **settings)
    drawn = {sample.parent_ids[0]: sample.tags[0] for sample in made.samples if sample.parent_ids}
    assert 75 <= list(drawn.values()).count("breadth") <= 105
    turned = evolve(rows[::-1][:40], "turned", **settings)
    again = {sample.parent_ids[0]: sample.tags[0] for sample in turned.samples if sample.parent_ids}
    assert again == {id: drawn[id] for id in again}
    other = evolve(rows[:40], "other", **settings, seed=1)
    differ = [sample for sample in other.samples if sample.parent_ids and sample.tags[0] != drawn[sample.parent_ids[0]]]
    assert differ


def test_several_turns_are_passed_on_as_they_are(evolve):
    rows = clock_samples(2)
    longer = rows[0].model_copy(update={"messages": rows[0].messages * 2})
    made = evolve([longer, rows[1]], rounds=2)
    check_evolved(made, 2)
    assert made.manifest.accounts["evolutions"].dropped == {"not_one_turn": 2}
    assert made.samples[0] == longer


@pytest.mark.parametrize(("originals", "left"), [("keep", 4), ("replace", 2), ("drop", 0)])
def test_originals_stay_by_choice(evolve, model, originals, left):
    model.same = lambda before, _: "number 1" in before or "number 3" in before
    made = evolve(clock_samples(4), originals=originals)
    check_evolved(made, 4)
    stayed = [sample.id for sample in made.samples if sample.kind == "instruct"]
    assert len(stayed) == left
    assert len(made.samples) == left + 2
    if originals == "replace":
        assert stayed == ["s1", "s3"]
        entry = next(entry for entry in made.ledger if entry.account == "rows")
        assert (entry.rule, entry.partner) == ("replaced", made.samples[0].id)


def test_faults_on_the_way_change_no_byte(evolve, tmp_path):
    whole = evolve(clock_samples(12), rounds=2)
    evolve.server.behave(rate_limited=0.2, server_error=0.2, cut_off=0.1, retry_after=("",))
    faulty = Evolve(tmp_path / "faulty", evolve.server)(clock_samples(12), rounds=2, attempts=20)
    check_evolved(faulty, 12)
    assert faulty.hash == whole.hash


def test_a_spent_budget_passes_the_originals_on(evolve):
    made = evolve(clock_samples(6), budget={"requests": 7}, concurrency=1)
    check_evolved(made, 6)
    assert made.manifest.cost.requests == 7
    accounts = made.manifest.accounts
    assert accounts["rows"].kept == 6
    assert accounts["evolutions"].skipped["budget"] == 6 - accounts["evolutions"].kept > 0
    stopped = evolve(clock_samples(6), "strict", budget={"requests": 3}, on_budget="fail", seed=5).ended
    assert stopped.exit_code == 14
    assert "limit on requests is reached" in stopped.stderr


def test_a_run_that_was_stopped_pays_nothing_twice(evolve):
    config = {"rounds": 2, "on_budget": "fail", "concurrency": 2}
    stops = [evolve(clock_samples(6), budget={"requests": limit}, **config).ended.exit_code for limit in (5, 9, 14)]
    made = evolve(clock_samples(6), **config)
    check_evolved(made, 6)
    assert stops == [14, 14, 14]
    sent = [(seen.question, seen.body["seed"], seen.body["model"]) for seen in evolve.server.seen]
    assert len(set(sent)) == len(sent) == made.manifest.accounts["requests"].total


def test_the_prompts_speak_polish_too(evolve):
    english, polish = load_prompt("evolve-1").file, load_prompt("evolve-1.pl").file
    assert english.operations.keys() == polish.operations.keys() == set(OPERATIONS)
    assert len(english.data) == len(polish.data)
    evolve.server.script = said_in_polish
    made = evolve(clock_samples(2), prompt="evolve-1.pl", operations=only("reasoning"))
    check_evolved(made, 2)
    assert made.manifest.accounts["evolutions"].kept == 2
    assert all(
        "polecenia" in seen.body["messages"][0]["content"] or "asystent" in seen.body["messages"][0]["content"]
        for seen in evolve.server.seen
    )


def said_in_polish(body):
    """What a model says to the three questions in Polish."""
    text = body["messages"][1]["content"]
    if text.startswith("Napisz bardziej"):
        return {"instruction": f"Krok po kroku: {text[-40:-9]}"}
    return {"reason": "inne", "same": False} if text.startswith("Oto dwa") else {"answer": "Wahadło odmierza czas."}


@pytest.mark.parametrize(
    "answer", ["Proszę podać tabelę, o którą chodzi.", "Czy możesz doprecyzować?", "Zrozumiałem. Jak mogę pomóc?"]
)
def test_asking_back_is_seen_in_polish(answer):
    found = answer_fault("Podsumuj tabelę.", answer, load_prompt("evolve-1.pl"), 1)
    assert found
    assert found[0] == "asks_back"


def test_too_many_lost_evolutions_are_no_result(evolve):
    evolve.server.behave(cut_off=0.15)
    ended = evolve(clock_samples(12), attempts=1, concurrency=1).ended
    assert ended.exit_code == 13
    assert "of 12 evolutions failed (cut_off" in ended.stderr


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"operations": dict.fromkeys(OPERATIONS, 0)}, "every operation has weight 0"),
        ({"prompt": "evolve-0"}, "one of evolve-1"),
        ({"compare": {"answerers": [{"model": "a"}] * 2, "judge": {"model": "j"}}}, "a model is named twice"),
    ],
)
def test_settings_that_cannot_work_are_refused(evolve, config, found):
    ended = evolve(clock_samples(1), **config).ended
    assert ended.exit_code == 10
    assert found in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_published_prompt_is_never_edited():
    prompts = {path.stem: load_prompt(path.stem).hash for path in prompt.FOLDER.glob("*.yaml")}
    ratings = {path.stem: rubrics.load_rubrics(path.stem).hash for path in rubrics.FOLDER.glob("*.yaml")}
    assert prompts | ratings == PINNED
