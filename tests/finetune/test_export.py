"""What an exported folder holds, that it is the model that was evaluated, and that one that is not is refused."""

import pytest
import torch
from transformers import AutoTokenizer, GenerationConfig

from contract.failures import BadInput
from finetune.chat import FORMATS, dress, prompt_ids
from finetune.data import encode_rows, learnable, read_splits
from finetune.export.card import count_licences
from finetune.export.merge import check_loss, check_reload
from finetune.export.reload import read_afresh
from finetune.exported import load_exported, read_parity, trained_prompt
from finetune.loss import mean_loss
from finetune.tiny import train_tokenizer
from finetune.trained import Trained
from published import publish, real_samples, sample
from stagekit.dataset import Dataset, open_dataset
from stagekit.store import resolve

CPU = torch.device("cpu")


@pytest.fixture
def exported(walked):
    return walked.file("export", "model")


@pytest.fixture
def trained(walked):
    return Trained(open_dataset(resolve(walked.results["train"]["uri"])))


def rows_of(walked, trained):
    test = read_splits(open_dataset(resolve(walked.dataset)))[1]
    return learnable(encode_rows(trained.tokenizer, test, trained.training))


def test_the_folder_holds_template_and_end_tokens(exported, trained):
    tokenizer, generation = AutoTokenizer.from_pretrained(exported), GenerationConfig.from_pretrained(exported)
    assert tokenizer.chat_template == trained.tokenizer.chat_template
    ends = generation.eos_token_id if isinstance(generation.eos_token_id, list) else [generation.eos_token_id]
    assert ends[0] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert generation.do_sample is False
    assert {path.suffix for path in exported.glob("model*")} <= {".safetensors", ".json"}


def test_the_loss_after_merging_is_the_one_that_was_evaluated(walked, exported, trained):
    metrics = walked.results["export"]["metrics"]
    assert metrics["trained_loss"] == pytest.approx(walked.results["evaluate"]["metrics"]["tuned_loss"], abs=1e-6)
    assert metrics["exported_loss"] == pytest.approx(metrics["trained_loss"], abs=1e-4)
    assert metrics["same_answers"] == metrics["asked"] == 4
    loss = mean_loss(load_exported(exported), rows_of(walked, trained), trained.tokenizer.pad_token_id)
    assert metrics["exported_loss"] == pytest.approx(loss.nats, abs=1e-6)


def test_a_fresh_process_notices_another_weight_and_a_missing_file(exported, trained, tmp_path):
    model, prompts = load_exported(exported), [exchange.ids for exchange in read_parity(exported)][:1]
    rows = [row for row in encode_rows(trained.tokenizer, real_samples(4, 2), trained.training) if row.targets][:1]
    read = read_afresh(exported, prompts, rows, CPU)
    check_reload(model, read, prompts, "here")
    with torch.no_grad():
        model.get_output_embeddings().weight[5, 5] += 1e-3
    with pytest.raises(BadInput, match="same logits False"):
        check_reload(model, read, prompts, "here")
    with pytest.raises(BadInput, match="cannot be loaded in a fresh process"):
        read_afresh(tmp_path, prompts, rows, CPU)


def test_a_loss_that_rose_is_refused_with_both_numbers():
    check_loss(2.0, 2.01, 0.02)
    check_loss(2.0, 1.5, 0.0)
    with pytest.raises(BadInput, match=r"2\.1000.*2\.0000.*at most 0\.02"):
        check_loss(2.0, 2.1, 0.02)
    with pytest.raises(BadInput):
        check_loss(2.0, float("nan"), 0.02)


def test_a_qlora_adapter_is_measured_on_the_base_that_it_was_trained_on(walked, trained):
    """The trap: an adapter trained on a quantised base, evaluated on the whole one, is another model."""
    rows = rows_of(walked, trained)
    manifest = trained.dataset.manifest
    config = manifest.config | {"training": manifest.config["training"] | {"method": "qlora"}}
    dataset = Dataset(trained.dataset.address, trained.dataset.store, manifest.model_copy(update={"config": config}))
    quantised = Trained(dataset)
    whole = mean_loss(quantised.tuned(torch.float32, CPU), rows, trained.tokenizer.pad_token_id).nats
    seen = mean_loss(quantised.as_trained(torch.float32, CPU), rows, trained.tokenizer.pad_token_id).nats
    assert abs(seen - whole) > 1e-4


@pytest.mark.parametrize("template", FORMATS)
def test_the_ids_before_an_answer_are_cut_from_what_is_trained(template):
    turns = [("user", "Who?"), ("assistant", "I."), ("user", "And where?"), ("assistant", "Here, and there.")]
    conversation = sample(1, "test", *turns)
    tokenizer = train_tokenizer([text for _, text in turns], vocabulary=400)
    dress(tokenizer, template, "<pad>")
    messages, ids = trained_prompt(tokenizer, conversation)
    assert [message.content for message in messages] == ["Who?", "I.", "And where?"]
    assert ids == prompt_ids(tokenizer, messages)


def test_the_card_tells_data_licences_losses_and_cost(exported, walked):
    card = (exported / "README.md").read_text()
    metrics = walked.results["train"]["metrics"]
    assert f"{metrics['steps']} steps, {metrics['tokens']:,} tokens" in card
    assert f"Test loss as trained | {walked.results['export']['metrics']['trained_loss']:.4f}" in card
    assert open_dataset(resolve(walked.dataset)).manifest.content_hash in card
    assert "| not stated | 120 |" in card


def test_licences_are_counted_from_the_samples(tmp_path):
    samples = [
        s.model_copy(update={"license": name}) for s, name in zip(real_samples(3, 1), ("MIT", "MIT", None), strict=True)
    ]
    dataset = open_dataset(resolve(publish(tmp_path / "published", samples)))
    assert dict(count_licences(dataset)) == {"MIT": 2, "not stated": 1}
