"""The trainer: rows reach the model unchanged, every method and optimizer trains, new tokens are learned."""

import logging

import pytest
import torch
from peft import PeftModel

from contract.config.base import versioned
from contract.config.finetune import TrainConfig, Training
from contract.failures import BadConfig
from contract.uris import Address
from finetune.chat import dress
from finetune.data import encode_rows, learnable
from finetune.export.merge import largest_difference
from finetune.model import load_model, logits
from finetune.plan.sizes import count_parameters
from finetune.tiny import build_tiny, train_tokenizer
from finetune.train import checkpoints
from finetune.trainer import make_trainer
from finetune_rows import laid_out
from published import real_samples
from stagekit.store import open_store

CPU = torch.device("cpu")
SAMPLES = real_samples(16, 4)


def trainer_for(folder, added=False, every=100, **settings):
    """A trainer of the tiny model on sixteen samples, one epoch; with `added`, the template's tokens are new to it.

    With early stopping it is evaluated on rows that it does not learn from.
    """
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
    config = TrainConfig(training=training, eval_every=every, save_every=every)
    splits = (rows[4:], rows[:4]) if training.early_stopping else (rows, rows[:2])
    laid = tuple(laid_out(split, training) for split in splits)
    return make_trainer(model, tokenizer, config, laid, added, folder / "out", []), rows, base


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


METHODS = {
    "full": {"optimizer": "adamw_torch", "neftune": 5},
    "lora": {"optimizer": "adamw_8bit", "gradient_checkpointing": "always"},
    "qlora": {"optimizer": "paged_adamw_8bit"},
    "lora, adafactor": {"optimizer": "adafactor"},
    "lora, rslora, neftune": {"lora": {"rslora": True, "target_modules": ["q_proj", "v_proj"]}, "neftune": 5},
    "lora, dora": {"lora": {"dora": True, "rank": 4}},
    "qlora, dora": {"lora": {"dora": True, "rslora": True, "rank": 4}},
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_trains(name, tmp_path):
    method = name.partition(",")[0]
    trainer, _, _ = trainer_for(tmp_path, method=method, **METHODS[name])
    before = trainable(trainer.model)
    assert all("lora_" in name for name in before) == (method != "full")
    four_bit = [module for module in trainer.model.modules() if type(module).__name__ == "Linear4bit"]
    assert bool(four_bit) == (method == "qlora")
    trainer.train()
    after = trainable(trainer.model)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert all(torch.isfinite(weights).all() for weights in after.values())


def test_rslora_scales_by_the_root_of_the_rank_and_plan_counts_the_magnitudes_of_dora(tmp_path):
    lora = {"rank": 16, "alpha": 32, "rslora": True, "dora": True, "target_modules": ["q_proj"]}
    trainer, _, _ = trainer_for(tmp_path, lora=lora)
    layers = [module for name, module in trainer.model.named_modules() if name.endswith(("q_proj", "v_proj"))]
    assert [layer.scaling["default"] for layer in layers if hasattr(layer, "scaling")] == [32 / 16**0.5] * 2
    counted = count_parameters(trainer.model.config, Training(lora=lora), new_tokens=False)
    assert counted.trainable == trainer.model.num_parameters(only_trainable=True)


def test_a_layer_that_the_model_does_not_have_is_named_beside_those_it_has(tmp_path):
    with pytest.raises(BadConfig, match=r"names qproj.*down_proj, .*q_proj"):
        trainer_for(tmp_path, lora={"target_modules": ["qproj"]})


def test_noise_on_the_embeddings_changes_what_is_learned_and_only_while_training(tmp_path):
    losses = {}
    for alpha in (0, 0.1, 50):
        trainer, _, _ = trainer_for(tmp_path / str(alpha), neftune=alpha, method="full")
        before = trainer.evaluate()["eval_loss"]
        trainer.train()
        losses[alpha] = (before, next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry))
    assert losses[0][0] == losses[0.1][0] == losses[50][0]
    assert 0 < abs(losses[0.1][1] - losses[0][1]) < abs(losses[50][1] - losses[0][1])


def test_early_stopping_ends_a_training_that_gets_worse_and_keeps_the_best_weights(tmp_path):
    trainer, _, _ = trainer_for(tmp_path, every=1, method="full", early_stopping=2, epochs=20, warmup_steps=0)
    trainer.train()
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert trainer.state.global_step < trainer.state.max_steps, "it ended early"
    assert len(losses) == losses.index(min(losses)) + 1 + 2, "two evaluations after the best one"
    assert trainer.evaluate()["eval_loss"] == pytest.approx(min(losses), abs=1e-6)


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


ALONE = checkpoints.needed(1, "none")
THIS = checkpoints.identity_of({"training": {"learning_rate": 0.1, "max_length": 256}, "samples": "abc"})


def checkpoint_in(folder, step, without=()):
    place = checkpoints.local_folder(folder, step)
    place.mkdir(parents=True)
    for name in {*ALONE, "adapter_model.safetensors"} - {"trainer_state.json", *without}:
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
    found = checkpoints.find(store, THIS, ALONE, log)
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
    assert checkpoints.find(scratch_in(tmp_path), other, ALONE, logging.getLogger("test")) == []
    assert caplog.records[0].fields["reason"] == f"of another training: {reason}"


CHANGES = {"learning_rate": 0.5, "batch_size": 3, "optimizer": "adafactor", "epochs": 7.0, "packing": False, "seed": 9}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_the_trainer_would_ignore_or_stumble_over_is_another_training(name):
    """transformers goes on with the old learning rate, ends at once with another batch, and fails on an optimizer."""
    config = TrainConfig(training=Training(learning_rate=0.1))
    other = config.model_copy(update={"training": config.training.model_copy(update={name: CHANGES[name]})})
    kept, asked = (checkpoints.identity_of({"config": versioned(each)}) for each in (config, other))
    files = dict.fromkeys([*ALONE, "adapter_model.safetensors"], "")
    reason = checkpoints.objection(checkpoints.Checkpoint("one", 10, 1, kept, False, files), asked, ALONE)
    old, new = (getattr(each.training, name) for each in (config, other))
    assert reason == f"of another training: config.training.{name} was {old!r} and is {new!r}"


@pytest.mark.parametrize("name", ["optimizer.pt", "trainer_state.json", "scheduler.pt", "adapter_model.safetensors"])
def test_an_incomplete_checkpoint_is_refused_and_an_older_whole_one_taken(name, tmp_path, caplog):
    store, log = scratch_in(tmp_path), logging.getLogger("test")
    checkpoints.save(store, checkpoint_in(tmp_path, 10), 10, 1, THIS, True)
    checkpoints.save(store, checkpoint_in(tmp_path, 20, without=[name]), 20, 2, THIS, False)
    assert [checkpoint.step for checkpoint in checkpoints.find(store, THIS, ALONE, log)] == [10]
    assert caplog.records[0].fields["reason"].startswith("incomplete: ")
