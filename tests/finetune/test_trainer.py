"""The trainer: rows reach the model unchanged, every method and optimizer trains, new tokens are learned."""

import logging

import pytest
import torch
from peft import PeftModel

from contract.config.finetune import TrainConfig, Training
from contract.uris import Address
from finetune.chat import dress
from finetune.data import encode_rows, learnable
from finetune.export.merge import largest_difference
from finetune.model import load_model, logits
from finetune.tiny import build_tiny, train_tokenizer
from finetune.train import checkpoints
from finetune.train.trainer import make_trainer
from published import real_samples
from stagekit.store import open_store

CPU = torch.device("cpu")
SAMPLES = real_samples(16, 4)


def trainer_for(folder, added=False, **settings):
    """A trainer of the tiny model on sixteen samples, one epoch; with `added`, the template's tokens are new to it."""
    fields = {"max_length": 256, "batch_size": 4, "accumulation": 1, "epochs": 1, "learning_rate": 0.01}
    training = Training.model_validate(fields | settings)
    base = folder / "base"
    build_tiny(SAMPLES, base, training.model_copy(update={"template": "tokenizer"}) if added else training)
    tokenizer = train_tokenizer(message.content for sample in SAMPLES for message in sample.messages)
    assert bool(dress(tokenizer, training.template)) or not added
    rows = learnable(encode_rows(tokenizer, SAMPLES, training))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = load_model(base, tokenizer, torch.float32, CPU, four_bit=training.method == "qlora")
    config = TrainConfig(training=training, eval_every=100, save_every=100)
    return make_trainer(model, tokenizer, config, (rows, rows[:2]), added, folder / "out", []), rows, base


def trainable(model):
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("packing", [True, False])
def test_rows_reach_the_model_token_by_token_as_they_were_made(packing, tmp_path):
    trainer, rows, _ = trainer_for(tmp_path, packing=packing, method="full")
    seen = []
    for batch in trainer.train_dataset:
        ids, labels, start = list(batch["input_ids"]), list(batch["labels"]), 0
        for length in batch.get("seq_lengths") or [len(ids)]:
            seen.append((ids[start : start + length], labels[start : start + length]))
            start += length
    assert sorted(seen) == sorted((row.ids, row.labels) for row in rows)


METHODS = [("full", "adamw_torch"), ("lora", "adamw_8bit"), ("qlora", "paged_adamw_8bit"), ("lora", "adafactor")]


@pytest.mark.parametrize(("method", "optimizer"), METHODS)
def test_a_method_trains(method, optimizer, tmp_path):
    trainer, _, _ = trainer_for(tmp_path, method=method, optimizer=optimizer, gradient_checkpointing=method == "lora")
    before = trainable(trainer.model)
    assert all("lora_" in name for name in before) == (method != "full")
    four_bit = [module for module in trainer.model.modules() if type(module).__name__ == "Linear4bit"]
    assert bool(four_bit) == (method == "qlora")
    trainer.train()
    after = trainable(trainer.model)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert all(torch.isfinite(weights).all() for weights in after.values())


def test_new_tokens_are_learned_and_survive_saving_and_merging(tmp_path):
    trainer, rows, base = trainer_for(tmp_path, added=True, template="chatml")
    trained = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
    assert any("embed_tokens" in name for name in trained)
    assert any("lm_head" in name for name in trained)
    trainer.train()
    trainer.model.save_pretrained(tmp_path / "adapter")
    again = PeftModel.from_pretrained(
        load_model(base, trainer.processing_class, torch.float32, CPU), tmp_path / "adapter"
    )
    said = [logits(again, row.ids) for row in rows[:3]]
    merged = again.merge_and_unload(safe_merge=True)
    assert largest_difference(said, [logits(merged, row.ids) for row in rows[:3]]) < 1e-3
    assert said[0].shape[1] == len(trainer.processing_class)


THIS = checkpoints.identity_of({"training": {"learning_rate": 0.1, "max_length": 256}, "samples": "abc"})


def checkpoint_in(folder, step, without=()):
    place = checkpoints.local_folder(folder, step)
    place.mkdir(parents=True)
    for name in {*checkpoints.NEEDED, "adapter_model.safetensors"} - {"trainer_state.json", *without}:
        (place / name).write_bytes(bytes([step]))
    if "trainer_state.json" not in without:
        (place / "trainer_state.json").write_text('{"best_model_checkpoint": "/gone"}')
    return place


def scratch_in(folder):
    return open_store(Address("file", "", str(folder / "scratch")))


def test_the_best_checkpoint_is_kept_beside_the_newest_and_found_again(tmp_path):
    store, log = scratch_in(tmp_path), logging.getLogger("test")
    for step, best in ((10, True), (20, False), (30, True), (40, False), (50, False)):
        checkpoints.save(store, checkpoint_in(tmp_path / "made", step), step, step * 100, THIS, best)
    found = checkpoints.find(store, THIS, log)
    assert [checkpoint.step for checkpoint in found] == [50, 30]
    taken = checkpoints.restore(store, found, tmp_path / "taken", log)
    assert (taken.step, taken.tokens) == (50, 5_000)
    assert str(tmp_path / "taken/checkpoint-30") in (tmp_path / "taken/checkpoint-50/trainer_state.json").read_text()


OTHERS = {
    "training.learning_rate was 0.1 and is 0.2": {"training": {"learning_rate": 0.2, "max_length": 256}},
    "training.max_length was 256 and is 128": {"training": {"learning_rate": 0.1, "max_length": 128}},
    "samples was 'abc' and is 'other'": {"samples": "other"},
}


@pytest.mark.parametrize("reason", OTHERS)
def test_a_checkpoint_of_another_training_is_refused_by_the_name_of_what_differs(reason, tmp_path, caplog):
    checkpoints.save(scratch_in(tmp_path), checkpoint_in(tmp_path, 10), 10, 1, THIS, False)
    other = THIS | checkpoints.identity_of(OTHERS[reason])
    assert checkpoints.find(scratch_in(tmp_path), other, logging.getLogger("test")) == []
    assert caplog.records[0].fields["reason"] == f"of another training: {reason}"


@pytest.mark.parametrize("name", ["optimizer.pt", "trainer_state.json", "scheduler.pt", "adapter_model.safetensors"])
def test_an_incomplete_checkpoint_is_refused_and_an_older_whole_one_taken(name, tmp_path, caplog):
    store, log = scratch_in(tmp_path), logging.getLogger("test")
    checkpoints.save(store, checkpoint_in(tmp_path, 10), 10, 1, THIS, True)
    checkpoints.save(store, checkpoint_in(tmp_path, 20, without=[name]), 20, 2, THIS, False)
    assert [checkpoint.step for checkpoint in checkpoints.find(store, THIS, log)] == [10]
    assert caplog.records[0].fields["reason"].startswith("incomplete: ")
