"""README.md of an exported model: what it is, what it was made from, how to use it. No clocks, no paths."""

from collections import Counter
from dataclasses import dataclass

import yaml

from contract.config.finetune import Training, is_folder
from contract.manifest import Manifest
from finetune.judged import Judged
from finetune.judged_page import card_section
from finetune.trained import REVISION
from stagekit.dataset import Dataset

USAGE = """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "..."}], add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**prompt, max_new_tokens=256)
```"""
UNSTATED = "not stated"
FROM_DATA = "\nThe base model `tiny` was made from the data itself: this model shows the way and answers nothing.\n"
SHOWN = 20
"""Licences listed at most; a crawl has hundreds."""


@dataclass(frozen=True)
class Figures:
    """What the export measured: precision of the weights, largest logit difference after merging, and the loss (nats
    per token) before and after it over a number of test samples."""

    dtype: str
    difference: float
    trained_loss: float
    exported_loss: float
    samples: int


def model_card(
    samples: Dataset, train: Manifest, training: Training, figures: Figures, judged: Judged | None = None
) -> str:
    """The card as Markdown, with the front matter that model hubs read."""
    name = samples.manifest.recipe or "a Nocturne dataset"
    licences = count_licences(samples)
    parts = [
        _front_matter(training),
        f"# Fine-tuned on {name}\n{FROM_DATA if training.base_model == 'tiny' else ''}",
        _table(("", ""), _facts(samples.manifest, train, training, figures)),
        *([card_section(judged)] if judged else []),
        "## Licences of the data",
        _table(("licence", "samples"), [(name.replace("|", "/"), f"{n:,}") for name, n in licences.most_common(SHOWN)]),
        *([f"And {len(licences) - SHOWN:,} more."] if len(licences) > SHOWN else []),
        "The base model's own licence holds as well.",
        f"## Use\n\n{USAGE}",
    ]
    return "\n\n".join(parts) + "\n"


def count_licences(samples: Dataset) -> Counter[str]:
    """Samples by licence, in a fixed order; one without takes what `publish` was told of the whole dataset."""
    whole = str(samples.manifest.config.get("license") or UNSTATED)
    stated = (batch.column(0).to_pylist() for batch in samples.batches(columns=["license"]))
    found = Counter(licence or whole for batch in stated for licence in batch)
    return Counter({name: found[name] for name in sorted(found)})


def _front_matter(training: Training) -> str:
    head: dict[str, object] = {"library_name": "transformers", "pipeline_tag": "text-generation"}
    if training.base_model != "tiny" and not is_folder(training.base_model):
        head["base_model"] = training.base_model.partition("@")[0]
    head["tags"] = ["nocturne", "sft"]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def _facts(samples: Manifest, train: Manifest, training: Training, figures: Figures) -> list[tuple[str, str]]:
    metrics = train.metrics
    return [
        ("Base model", f"`{training.base_model}`{_revision(train)}"),
        ("Method", _method(training)),
        ("Chat template", training.template),
        ("Precision", figures.dtype),
        ("Dataset", f"`{samples.content_hash}` ({samples.rows_out:,} samples, {samples.recipe or 'no recipe'})"),
        ("Training", f"`{train.content_hash}`"),
        ("Cost of training", f"{metrics.get('steps')} steps, {metrics.get('tokens'):,} tokens{_trainable(train)}"),
        ("Test loss as trained", f"{figures.trained_loss:.4f} nats per token ({figures.samples:,} samples)"),
        ("Test loss as exported", f"{figures.exported_loss:.4f} nats per token"),
        ("Largest logit difference after merging", f"{figures.difference:.2g}"),
    ]


def _revision(train: Manifest) -> str:
    revision = train.metrics.get(REVISION)
    return f", commit `{revision}`" if revision else ""


def _trainable(train: Manifest) -> str:
    number, total = train.metrics.get("trainable_parameters"), train.metrics.get("parameters")
    return f", {number:,} of {total:,} parameters trained" if number and total else ""


def _method(training: Training) -> str:
    if training.method == "full":
        return "all weights"
    lora = training.lora
    kind = "LoRA" if training.method == "lora" else "QLoRA (NF4 base)"
    variant = "".join(f", {name}" for name, used in (("rsLoRA", lora.rslora), ("DoRA", lora.dora)) if used)
    layers = ", ".join(lora.target_modules) or "all linear layers"
    return f"{kind}{variant}, rank {lora.rank}, alpha {lora.alpha}, {layers}"


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [head, ("---", "---"), *rows]
    return "\n".join(f"| {left} | {right} |" for left, right in lines)
