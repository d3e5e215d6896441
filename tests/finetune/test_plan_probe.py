"""Two real steps: taken by every method, timed, and corrected by where a GPU says what they took."""

import pytest
import torch

from contract.config.finetune import Training
from contract.failures import BadConfig
from finetune.base import load_tokenizer
from finetune.chat import dress
from finetune.path import TrainingPath
from finetune.plan import probe
from finetune.tiny import build_tiny
from published import real_samples

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A tiny base whose tokenizer lacks the template's tokens."""
    folder = tmp_path_factory.mktemp("base")
    build_tiny(real_samples(8, 0), folder, Training(template="tokenizer", max_length=64))
    return folder


@pytest.mark.parametrize(("method", "optimizer"), [("full", "adamw_torch"), ("qlora", "paged_adamw_8bit")])
def test_two_steps_are_taken_and_timed(method, optimizer, base):
    training = Training(method=method, optimizer=optimizer, max_length=64, batch_size=3, packing=method == "full")
    tokenizer = load_tokenizer(base)
    added = bool(dress(tokenizer, training.template))
    measured = probe.probe(probe.Base(base, tokenizer, CPU, added), training, "sdpa")
    assert measured.step_seconds > 0
    assert measured.peak_gb is None, "a CPU does not tell what tensors took"


@pytest.mark.parametrize("packing", [True, False])
def test_the_rows_are_the_dearest_that_a_batch_can_hold(packing, base, tmp_path):
    training = Training(method="full", max_length=64, batch_size=3, packing=packing)
    tokenizer = load_tokenizer(base)
    dress(tokenizer, training.template)
    model = probe.load_model(base, tokenizer, torch.float32, CPU)
    batches = list(probe._trainer(model, tokenizer, training, False, tmp_path).get_train_dataloader())
    assert [batch["input_ids"].numel() for batch in batches] == [3 * 64] * probe.STEPS
    assert all((batch["labels"] != -100).sum() >= 3 * 63 for batch in batches)


def test_running_out_of_memory_is_a_refusal(base, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. More advice")

    monkeypatch.setattr(probe, "_measure", fail)
    with pytest.raises(BadConfig, match=r"two real steps ran out of memory: CUDA out of memory; .*batch_size"):
        probe.probe(probe.Base(base, None, CPU, False), Training(), "sdpa")


@pytest.mark.parametrize(("said", "taken"), [("auto", [False, True]), ("never", [False]), ("always", [True])])
def test_what_does_not_fit_is_tried_with_checkpointing_where_the_recipe_leaves_it_open(said, taken, base, monkeypatch):
    tried = []

    def measure(base, training, attention):
        tried.append(training.checkpointing)
        if not training.checkpointing or said == "always":
            raise torch.OutOfMemoryError("CUDA out of memory. More advice")
        return probe.Measured(None, 1.0)

    monkeypatch.setattr(probe, "_measure", measure)
    path = TrainingPath("sdpa", gradient_checkpointing=said == "always", compile=False)
    asked = (probe.Base(base, None, CPU, False), path, None, Training(gradient_checkpointing=said), None)
    if said == "auto":
        found, figures = probe.probe_path(*asked)
        assert (found.gradient_checkpointing, figures["probe_step_seconds"]) == (True, 1.0)
    else:
        with pytest.raises(BadConfig, match="ran out of memory"):
            probe.probe_path(*asked)
    assert tried == taken


def test_a_probe_is_taken_where_it_is_wanted():
    gpu = torch.device("cuda")
    taken = {when: [probe.is_wanted(when, device) for device in (CPU, gpu)] for when in ("gpu", "always", "never")}
    assert taken == {"gpu": [False, True], "always": [True, True], "never": [False, False]}
