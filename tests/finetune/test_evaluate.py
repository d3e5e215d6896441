"""What evaluate decides, as laws over plain values; and its measurements on the tiny model."""

import gzip
import json
import math
from dataclasses import replace
from html import unescape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contract.config.evaluate import EvaluateConfig, GeneralText
from contract.config.finetune import Training
from contract.failures import BadConfig, BadInput
from finetune.chat import dress, encode
from finetune.data import IGNORED, encode_rows
from finetune.evaluate.answers import BATCH_ROWS, BATCH_TOKENS, answer_all, generation_batches, until_end
from finetune.evaluate.comparison import BASE, PROMPTED, TUNED, Forgetting, compare
from finetune.evaluate.copies import SHORTEST
from finetune.evaluate.few_shot import few_shot, in_hash_order
from finetune.evaluate.general import general_rows, texts
from finetune.evaluate.measure import Measured
from finetune.evaluate.page import as_html
from finetune.evaluate.picture import draw
from finetune.evaluate.report import as_json, as_markdown
from finetune.evaluate.tasks import Tasks, make_tasks
from finetune.loss import Loss, in_all, mean_loss, row_losses
from finetune.model import generate, settle_end_tokens
from finetune.probes import questions
from finetune.tiny import tiny_model, train_tokenizer
from published import real_samples, sample

LOSSES = st.builds(Loss, st.floats(0.01, 12), st.integers(1, 500))
WORDS = st.lists(st.sampled_from(["the", "a", "of", "and", "sea", "road", "house", "went", "blue"]), max_size=40)
SAMPLES = real_samples(40, 8)
TEST, TRAIN = SAMPLES[:8], SAMPLES[8:]
TRAINING = Training(max_length=512, template="chatml")


@pytest.fixture(scope="module")
def tokenizer():
    found = train_tokenizer([message.content for item in SAMPLES for message in item.messages], vocabulary=600)
    dress(found, "chatml")
    return found


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.set_num_threads(1)
    made = tiny_model(len(tokenizer), 0, 512)
    settle_end_tokens(made, tokenizer)
    return made


# -- loss ------------------------------------------------------------------------------------------------------------


def test_row_losses_stand_in_the_order_of_rows_and_add_up(model, tokenizer):
    rows = encode_rows(tokenizer, TEST, TRAINING)
    pad = tokenizer.pad_token_id
    alone = [mean_loss(model, [row], pad) for row in rows]
    together = row_losses(model, rows, pad)
    assert [loss.tokens for loss in together] == [row.targets for row in rows]
    assert [loss.nats for loss in together] == pytest.approx([loss.nats for loss in alone], abs=1e-5)
    assert in_all(together).nats == pytest.approx(mean_loss(model, rows[::-1], pad).nats, abs=1e-9)


# -- examples before the question --------------------------------------------------------------------------------------


def test_examples_do_not_depend_on_the_order_of_rows_and_leave_the_same_tokens_to_learn(tokenizer):
    shots, turned = (few_shot(tokenizer, TRAINING, rows, 3) for rows in (TRAIN, TRAIN[::-1]))
    numbers = []
    for item, row in zip(TEST, encode_rows(tokenizer, TEST, TRAINING), strict=True):
        longer, number = shots.row(item, row)
        assert (longer, number) == turned.row(item, row)
        assert longer.ids[-20:] == row.ids[-20:]
        assert [label for label in longer.labels if label != IGNORED] == [x for x in row.labels if x != IGNORED]
        assert len(longer.ids) <= TRAINING.max_length
        numbers.append(number)
    assert max(numbers) == 3


def test_examples_come_from_the_train_split_and_are_complete_turns(tokenizer):
    shots = few_shot(tokenizer, TRAINING, TRAIN, 2)
    (asked, ids) = questions(tokenizer, TEST, 512)[0]
    text = tokenizer.decode(shots.prompt(asked, ids, 16))
    assert text.endswith(tokenizer.decode(ids)[-40:])
    assert text.count("<|im_start|>assistant") == 3
    first = in_hash_order(TRAIN)[0]
    assert first.answer.strip() in text


@pytest.mark.parametrize("training", [Training(max_length=64), Training(max_length=512)], ids=["cut", "whole"])
def test_no_room_means_no_examples(tokenizer, training):
    """A row that was cut stays as it is; so does a prompt whose answer would no longer fit."""
    shots = few_shot(tokenizer, training, TRAIN, 4)
    for item, row in zip(TEST, encode_rows(tokenizer, TEST, training), strict=True):
        if row.truncated:
            assert shots.row(item, row) == (row, 0)
    for item, ids in questions(tokenizer, TEST, training.max_length):
        assert shots.prompt(item, ids, training.max_length) == ids


def test_a_system_message_stays_first_and_that_of_an_example_goes(tokenizer):
    told = [("system", "Be brief."), ("user", "What is new?"), ("assistant", "Nothing.")]
    train = [sample(number, "train", *told) for number in range(3)]
    asked = sample(9, "test", ("system", "Answer in full."), ("user", "Who?"), ("assistant", "She did."))
    shots = few_shot(tokenizer, TRAINING, train, 2)
    row, number = shots.row(asked, encode_rows(tokenizer, [asked], TRAINING)[0])
    text = tokenizer.decode(row.ids)
    assert number == 2
    assert (text.count("<|im_start|>system"), text.find("Answer in full.")) == (1, text.find("system\n") + 7)
    assert "Be brief." not in text


def test_everything_learned_means_the_same_tokens_with_examples(tokenizer):
    training = TRAINING.model_copy(update={"loss_on": "everything"})
    row = encode_rows(tokenizer, TEST[:1], training)[0]
    longer, number = few_shot(tokenizer, training, TRAIN, 1).row(TEST[0], row)
    assert number == 1
    assert longer.targets == row.targets
    assert [label for label in longer.labels if label != IGNORED] == row.ids[1:]


def test_texts_without_questions_are_not_prompted_with_examples(tokenizer):
    texts_only = [sample(number, "train", ("assistant", "A text of its own.")) for number in range(4)]
    assert few_shot(tokenizer, TRAINING, texts_only, 3) is None
    assert few_shot(tokenizer, TRAINING, TRAIN, 0) is None
    tight = Training(max_length=64)
    with pytest.raises(BadConfig, match="within 64 tokens"):
        make_tasks(tokenizer, tight, EvaluateConfig(min_over_prompted=0), TRAIN, TEST)
    assert make_tasks(tokenizer, tight, EvaluateConfig(), TRAIN, TEST).prompted is None
    with pytest.raises(BadInput, match="none of 8 test samples"):
        make_tasks(tokenizer, Training(max_length=16), EvaluateConfig(), TRAIN, TEST)


# -- answers -----------------------------------------------------------------------------------------------------------


def test_a_batch_padded_on_the_left_says_what_each_prompt_gets_alone(model, tokenizer):
    prompts = [ids for _, ids in questions(tokenizer, TEST, 512)]
    assert len({len(ids) for ids in prompts}) > 1
    together = dict(answer_all(model, tokenizer, prompts, 12))
    for place, ids in enumerate(prompts):
        alone = tokenizer.decode(generate(model, ids, 12), skip_special_tokens=True).strip()
        assert together[place].text == alone


def test_answers_end_at_the_stop_token_and_others_are_runaways(model, tokenizer):
    prompts = [encode(tokenizer, TEST[0].messages).ids[:9], encode(tokenizer, TEST[1].messages).ids[:5]]
    free = dict(answer_all(model, tokenizer, prompts, 8))
    assert all(said.runaway for said in free.values()), "an untrained model does not end by itself"
    before = model.generation_config.eos_token_id
    fourth = generate(model, prompts[0], 8)[3]
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, fourth]
    stopped = dict(answer_all(model, tokenizer, prompts, 8))
    model.generation_config.eos_token_id = before
    assert not stopped[0].runaway
    assert free[0].text.startswith(stopped[0].text)
    assert len(stopped[0].text) < len(free[0].text)


@given(st.lists(st.integers(0, 9), max_size=12), st.frozensets(st.integers(0, 9), max_size=3))
def test_what_is_said_holds_no_end_token(ids, ends):
    spoken, ended = until_end(ids, ends)
    assert ids[: len(spoken)] == spoken
    assert not ends & set(spoken)
    assert ended == (len(spoken) < len(ids))


@given(st.lists(st.integers(1, 9_000), max_size=200), st.integers(1, 9_000))
def test_every_prompt_is_in_one_batch_and_no_batch_is_too_large(lengths, new):
    found = list(generation_batches(lengths, new))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        size = len(batch) * (max(lengths[place] for place in batch) + new)
        assert len(batch) == 1 or (size <= BATCH_TOKENS and len(batch) <= BATCH_ROWS)


# -- general text ------------------------------------------------------------------------------------------------------

ROWS = [{"body": "One text."}, {"body": ""}, {"body": "Another, “marked” text."}]


def as_csv(rows):
    return "body\n" + "\n".join(f'"{row["body"]}"' for row in rows) + "\n"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_general_text_is_read_from_what_people_have(name, tmp_path):
    lines = as_csv(ROWS) if ".csv" in name else "\n".join(map(json.dumps, ROWS))
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(gzip.compress(lines.encode()) if name.endswith(".gz") else lines.encode())
    assert list(texts(GeneralText(uri=str(tmp_path / name), text="body"))) == ["One text.", "Another, “marked” text."]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.docx", "x", "unknown kind"),
        ("a.jsonl", '{"title": "x"}', "no field 'text'"),
        ("a.jsonl", "{not json", "cannot be read"),
        ("a.jsonl", "[1]", "no object"),
        ("a.jsonl", '{"text": ""}', "no text"),
        ("a.parquet", "not parquet", "cannot be read"),
        ("a.jsonl.gz", "not packed", "cannot be read"),
    ],
)
def test_general_text_that_cannot_be_read_is_refused(name, content, says, tmp_path, tokenizer):
    (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=says):
        general_rows(tokenizer, GeneralText(uri=str(tmp_path / name)), 64)


# -- the whole comparison ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared(model, tokenizer):
    """The tiny model in the parts of base and prompted base, and a better one that repeats a train answer."""
    config = EvaluateConfig(generations=3, max_new_tokens=6)
    tasks = make_tasks(tokenizer, TRAINING, config, TRAIN, TEST)
    pad = tokenizer.pad_token_id
    said = {}
    for name, task in ((BASE, tasks.plain), (PROMPTED, tasks.prompted)):
        answers = dict(answer_all(model, tokenizer, task.prompts, 6))
        said[name] = Measured(row_losses(model, task.rows, pad), [answers[place] for place in range(3)])
    repeated = [type(answer)(f"<b>{TRAIN[5].answer}</b>", False) for answer in said[BASE].answers]
    lower = [Loss(loss.nats - 1 - place / 100, loss.tokens) for place, loss in enumerate(said[BASE].losses)]
    said[TUNED] = Measured(lower, repeated)
    return compare(config, tasks, said, Forgetting(Loss(3, 100), Loss(3.5, 100)), TRAIN)


def test_the_comparison_counts_runaways_copies_and_what_was_forgotten(compared):
    metrics = compared.metrics()
    assert (metrics["base_runaways"], metrics["tuned_runaways"]) == (3, 0)
    assert metrics["tuned_longest_copy"] >= SHORTEST
    assert metrics["base_longest_copy"] == 0
    assert metrics["forgetting"] == 0.5
    assert metrics["improvement"] == pytest.approx(metrics["base_loss"] - metrics["tuned_loss"])
    assert metrics["over_prompted"] == pytest.approx(metrics["few_shot_loss"] - metrics["tuned_loss"])
    assert metrics["base_perplexity"] == pytest.approx(math.exp(metrics["base_loss"]))
    assert (metrics["gate"], metrics["worth_it"], metrics["examples"] > 1) == ("passed", "yes", True)


def test_every_report_tells_the_verdict_and_every_answer(compared):
    whole = json.loads(as_json(compared))
    assert whole["verdict"] == compared.verdict.sentence
    assert [answer["id"] for answer in whole["answers"]] == [item.id for item in compared.asked]
    assert whole["answers"][0]["tuned"]["copied_words"] == len(whole["answers"][0]["tuned"]["copied"].split())
    markdown, page = as_markdown(compared), as_html(compared)
    for text in (compared.verdict.sentence, "rose by 0.5000, from 3.0000 to 3.5000"):
        assert text in markdown
        assert text in unescape(page)
    assert page.count("<h4>") == 4 * len(compared.asked)
    assert "did not end" in page
    assert "&lt;b&gt;" in page, "what a model says is text, not markup"
    assert page.count("<b>") == 0


def test_the_picture_has_a_bar_for_each_and_the_same_figures_draw_the_same(compared):
    far = [replace(each, style=replace(each.style, delta=0.75)) for each in compared.contestants]
    author_too = replace(compared.words, again=replace(compared.words.again, delta=0.25))
    picture = draw(replace(compared, base=far[0], prompted=far[1], tuned=far[2], words=author_too))
    assert draw(compared) == draw(compared)
    assert draw(compared).count('rx="3"') == 3, "answers of a few words have no Delta"
    assert (picture.count('rx="3"'), picture.count(">0.750<")) == (2 * 3 + 1, 3)
    for contestant in compared.contestants:
        assert f">{contestant.loss.nats:.3f}<" in picture


def test_nothing_asked_is_compared_by_loss_alone(compared):
    bare = {
        name: Measured(each.measured.losses, [])
        for name, each in zip((BASE, TUNED), (compared.base, compared.tuned), strict=True)
    }
    task = Tasks([], type("T", (), {})(), None)
    found = compare(EvaluateConfig(generations=0), task, bare, None, TRAIN)
    assert found.metrics()["tuned_delta"] is None
    assert found.verdict.answer == "not asked"
    assert "| Base, zero-shot |" in as_markdown(found)
    assert "Delta" in as_html(found)
    assert draw(found).startswith("<svg")


def test_samples_are_ordered_by_their_ids_alone():
    assert in_hash_order(TRAIN) == in_hash_order(TRAIN[::-1])
    assert in_hash_order(TRAIN) != TRAIN
