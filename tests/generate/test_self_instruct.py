"""Self-instruct: even counts over a taxonomy, nothing that the pool has, the same whatever the order of answers."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.instruct import SelfInstruct
from generate.instruct.cells import quotas
from generate.instruct.pool import Pool, Task
from llm_runs import InProcess, Instruct, Made, check_books
from scripted_llm import ScriptedServer, TaskServer

SEEDS = [
    {
        "instruction": f"Tell number {n} of the old tales about the sea.",
        "instances": [{"input": "", "output": f"Tale {n}."}],
    }
    for n in range(20)
]


@pytest.fixture
def seeds(tmp_path) -> str:
    """A file of twenty seed tasks."""
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(json.dumps(seed) + "\n" for seed in SEEDS))
    return str(path)


@pytest.fixture
def tasks(tmp_path, seeds):
    """Runs self-instruct alone, against a server that writes tasks; more settings go into its section."""
    with TaskServer() as server:
        run = Instruct(InProcess(tmp_path), "", server)

        def call(name: str = "made", stage: dict | None = None, **section) -> Made:
            wanted = {"seeds": {"uri": seeds}, "topics": ["clocks", "tides"], "count": 24} | section
            return run(name, mode="self_instruct", self_instruct=wanted, **(stage or {}))

        call.server = server
        yield call


def check_tasks(made: Made) -> None:
    """Every task, seed and request ends once; what was kept was written."""
    accounts = made.manifest.accounts
    for name, account in accounts.items():
        lost = Counter((e.status, e.rule) for e in made.ledger if e.account == name)
        booked = Counter()
        for status in ("dropped", "failed", "skipped"):
            booked.update({(status, rule): number for rule, number in getattr(account, status).items()})
        assert lost == booked, name
    assert sum(sample.kind != "seed" for sample in made.samples) == accounts["tasks"].kept
    assert len({sample.id for sample in made.samples}) == len(made.samples)
    assert made.manifest.main_account == accounts["tasks"]


def test_every_cell_gets_as_many_as_any_other(tasks):
    made = tasks(count=100, complexities=["simple", "hard"], lengths=["short", "long"], tones=["dry"])
    check_tasks(made)
    cells = Counter(tuple(sample.tags) for sample in made.samples)
    assert sorted(cells.values()) == [12, 12, 12, 12, 13, 13, 13, 13]
    assert ("self-instruct", "topic:tides", "complexity:hard", "length:long", "tone:dry", "language:en") in cells


def test_the_prompt_names_the_cell(tasks):
    tasks(count=1, topics=["tides"], complexities=["hard"], lengths=["one line"], tones=["dry"], languages=["pl"])
    asked = tasks.server.seen[0].body["messages"][1]["content"]
    for words in ("Topic: tides", "task: hard", "answer: one line", "answer: dry", "task and answer: Polish"):
        assert words in asked
    assert asked.count("-------- example") == 8


def test_a_task_leads_back_to_the_examples_shown(tasks):
    made = tasks(write_seeds=True)
    check_tasks(made)
    known = {sample.id for sample in made.samples}
    new = [sample for sample in made.samples if sample.kind == "instruct"]
    assert [sample.kind for sample in made.samples[:20]] == ["seed"] * 20
    assert made.samples[3].instruction == SEEDS[3]["instruction"]
    assert made.samples[3].answer == "Tale 3."
    for sample in new:
        assert len(sample.parent_ids) == 8
        assert set(sample.parent_ids) <= known
        assert (sample.source, sample.document_id, sample.author) == ("self-instruct", None, None)


def test_what_was_made_is_shown_once_it_is_there(tasks):
    made = tasks(wave=4, count=60)
    check_tasks(made)
    of_seeds = Counter(sum(parent in seeds_of(made) for parent in sample.parent_ids) for sample in made.samples)
    assert set(of_seeds) == {8, 6}, "six seeds and two others, except at the start"
    assert of_seeds[6] > 20


def seeds_of(made: Made) -> set[str]:
    own = {sample.id for sample in made.samples}
    return {parent for sample in made.samples for parent in sample.parent_ids} - own


def test_the_result_depends_neither_on_concurrency_nor_on_faults(tasks, tmp_path, monkeypatch):
    whole = tasks(wave=8, count=40)
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "other cache"))
    tasks.server.behave(rate_limited=0.2, server_error=0.2, retry_after=("",), latency=0.01)
    again = tasks("again", {"concurrency": 2, "attempts": 30}, wave=8, count=40)
    assert again.hash == whole.hash
    assert again.manifest.cost.cached_requests == 0
    assert tasks("smaller", wave=4, count=40).hash != whole.hash


class Repeating(TaskServer):
    """Says the same two tasks ever again, and a seed with one word changed."""

    def tasks(self, body):
        told = [
            "Name five rivers that flow into the North Sea",
            "Plan a week of meals without meat or fish",
            "Tell number 7 of the old tales about the moon.",
        ]
        return [{"instruction": text, "answer": "As you wish, here it is."} for text in told]


def test_what_the_pool_has_is_dropped_with_the_task_that_it_repeats(tmp_path, seeds):
    section = {
        "seeds": {"uri": seeds},
        "topics": ["all"],
        "count": 6,
        "complexities": ["x"],
        "tones": ["y"],
        "tries": 3,
    }
    with Repeating() as server:
        run = Instruct(InProcess(tmp_path), "", server)
        made = run(mode="self_instruct", self_instruct=section | {"lengths": ["z"]}, pairs=3)
    check_tasks(made)
    assert len(made.samples) == 2
    assert made.manifest.accounts["tasks"].dropped["never_came"] == 4
    entry = next(entry for entry in made.ledger if "moon" in (entry.row or ""))
    assert (entry.rule, entry.threshold) == ("not_novel", "0.7")
    assert float(entry.value) == pytest.approx(0.9, abs=0.01)
    assert entry.partner in {parent for sample in made.samples for parent in sample.parent_ids} | seeds_of(made)
    assert len(server.seen) == 4, "two for six tasks, then two for the four that lack"


def test_budget_ends_it_and_what_is_missing_is_skipped(tasks):
    made = tasks(stage={"budget": {"requests": 3}, "concurrency": 1}, count=200, wave=2)
    check_tasks(made)
    assert made.manifest.cost.requests == 3
    tasks_account = made.manifest.accounts["tasks"]
    assert tasks_account.kept > 0
    assert tasks_account.skipped == {"budget": 200 - tasks_account.kept}
    stopped = tasks("stopped", {"budget": {"requests": 2}, "on_budget": "fail", "seed": 4}, count=200).ended
    assert stopped.exit_code == 14


def test_it_may_stand_beside_chunks(tmp_path, few, seeds):
    with TaskServer() as server:
        section = {"seeds": {"uri": seeds}, "topics": ["clocks"], "count": 9}
        made = Instruct(InProcess(tmp_path), few, server)(self_instruct=section)
    accounts = made.manifest.accounts
    assert made.manifest.main_account == accounts["chunks"]
    assert (accounts["chunks"].kept, accounts["pairs"].kept, accounts["tasks"].kept) == (6, 30, 9)
    assert accounts["seeds"].kept == 20
    assert made.manifest.rows_out == 39
    assert (made.manifest.metrics["prompt"], made.manifest.metrics["task_prompt"]) == (
        "backtranslate-2",
        "self_instruct-1",
    )


def test_seeds_that_are_no_tasks_are_in_the_ledger(tasks, tmp_path):
    path = tmp_path / "mixed.jsonl"
    rows = [SEEDS[0], {"text": "nothing"}, ["a list"], SEEDS[0], SEEDS[1] | {"instances": []}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = tasks(seeds={"uri": str(path)}, write_seeds=True)
    check_tasks(made)
    assert made.manifest.accounts["seeds"].dropped == {"not_a_task": 3, "repeated_seed": 1}
    assert [entry.id for entry in made.ledger if entry.account == "seeds"] == [f"mixed.jsonl:{n}" for n in (2, 3, 4, 5)]
    empty = tmp_path / "none.jsonl"
    empty.write_text('{"text": "nothing"}\n')
    ended = tasks("none", seeds={"uri": str(empty)}).ended
    assert ended.exit_code == 11
    assert "no usable seed among 1 rows" in ended.stderr


def test_other_seeds_are_another_dataset(tasks, seeds):
    first = tasks()
    with open(seeds, "a", encoding="utf-8") as file:
        file.write(json.dumps({"instruction": "Sing."}) + "\n")
    assert tasks().manifest.key != first.manifest.key


@pytest.mark.parametrize(
    ("stage", "found"),
    [
        ({"mode": "self_instruct"}, "expected a section `self_instruct`"),
        ({"provider": "extractive", "self_instruct": {"seeds": {"uri": "s"}, "topics": ["a"]}}, "expected openai"),
        ({}, "--input chunks=URI is missing"),
        ({"mode": "self_instruct", "self_instruct": {"seeds": {"uri": "s"}, "topics": []}}, "topics"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path, stage, found):
    with TaskServer() as server:
        ended = Instruct(InProcess(tmp_path), "", server)(**stage).ended
    assert ended.exit_code == 10
    assert found in ended.stderr


def test_chunks_that_nobody_reads_are_refused(tmp_path, few, seeds):
    with TaskServer() as server:
        section = {"seeds": {"uri": seeds}, "topics": ["clocks"]}
        ended = Instruct(InProcess(tmp_path), few, server)(mode="self_instruct", self_instruct=section).ended
    assert ended.exit_code == 10
    assert "--input chunks, which mode self_instruct does not read" in ended.stderr


def test_the_seed_tasks_of_alpaca(tmp_path, shared_data):
    with TaskServer() as server:
        section = {"seeds": {"uri": str(shared_data / "seed_tasks.jsonl")}, "topics": ["clocks"], "count": 12}
        made = Instruct(InProcess(tmp_path), "", server)(mode="self_instruct", self_instruct=section)
    check_tasks(made)
    assert (made.manifest.accounts["seeds"].kept, len(made.samples)) == (175, 12)


TEXT = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12).map(" ".join)


def rouge_l(a: str, b: str) -> float:
    """The F measure of the longest common subsequence of words, by the textbook's table."""
    x, y = a.split(), b.split()
    table = [[0] * (len(y) + 1) for _ in range(len(x) + 1)]
    for i, one in enumerate(x):
        for j, other in enumerate(y):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    common = table[-1][-1]
    if not common:
        return 0.0
    precision, recall = common / len(x), common / len(y)
    return 2 * precision * recall / (precision + recall)


@given(st.lists(TEXT, min_size=1, max_size=6), TEXT, st.sampled_from([0.3, 0.7, 0.95, 1.0]))
def test_novelty_is_rouge_l_against_the_whole_pool(texts, text, limit):
    pool = Pool()
    for number, other in enumerate(texts):
        pool.add(Task(str(number), other))
    most = max(rouge_l(text, other) for other in texts)
    found = pool.nearest(text, limit)
    if most > limit + 1e-9 or most > 1 - 1e-9:
        assert found
        assert found[0] == pytest.approx(most, abs=1e-4)
        assert rouge_l(text, texts[int(found[1])]) == pytest.approx(most)
    elif most < limit - 1e-9:
        assert found is None


@given(st.integers(1, 500), st.integers(1, 7), st.integers(1, 4), st.integers(0, 5))
def test_counts_are_kept_to_the_last_task(count, topics, tones, seed):
    config = SelfInstruct.model_validate(
        {
            "seeds": {"uri": "s"},
            "count": count,
            "topics": [f"topic {n}" for n in range(topics)],
            "tones": [f"tone {n}" for n in range(tones)],
        }
    )
    numbers = [number for _, number in quotas(config, seed)]
    assert sum(numbers) == count
    assert len(numbers) == min(count, topics * tones * 9)
    assert max(numbers) - min(numbers) <= 1
    assert quotas(config, seed) == quotas(config, seed)


def test_half_good_answers_are_asked_again(tmp_path, seeds):
    def said(body):
        words = ("Weigh a stone", "Name every tree that you know")[len(body["messages"]) > 2]
        return {"pairs": [{"instruction": words, "answer": "It is heavy, that one."}]}

    with ScriptedServer(said) as server:
        section = {"seeds": {"uri": seeds}, "topics": ["stones"], "count": 2, "complexities": ["x"]}
        section |= {"lengths": ["y"], "tones": ["z"]}
        made = Instruct(InProcess(tmp_path), "", server)(mode="self_instruct", self_instruct=section)
    check_tasks(made)
    assert len(made.samples) == 2
    assert made.manifest.accounts["requests"].total == 2


def test_books_of_chunks_are_as_before(instruct):
    check_books(instruct(), 6)
