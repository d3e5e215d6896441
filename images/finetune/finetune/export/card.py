"""README.md of an exported model: what it is, what it was made from, how to use it. No clocks, no paths."""

from contract.config.finetune import Training
from contract.manifest import Manifest

USAGE = """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "..."}], add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**prompt, max_new_tokens=256)
```"""


def model_card(samples: Manifest, train: Manifest, training: Training, dtype: str, difference: float) -> str:
    """The card as Markdown, with the front matter that model hubs read."""
    metrics = train.metrics
    warning = "\nThe base model `tiny` was made from the data itself: this model shows the way and answers nothing.\n"
    rows = [
        ("Base model", f"`{training.base_model}`"),
        ("Method", _method(training)),
        ("Chat template", training.template),
        ("Precision", dtype),
        ("Dataset", f"`{samples.content_hash}` ({samples.rows_out:,} samples, {samples.recipe or 'no recipe'})"),
        ("Training", f"`{train.content_hash}` ({metrics.get('steps')} steps, {metrics.get('tokens'):,} tokens)"),
        ("Largest logit difference after merging", f"{difference:.2g}"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags: [nocturne, sft]\n---\n\n"
        f"# Fine-tuned on {samples.recipe or 'a Nocturne dataset'}\n"
        f"{warning if training.base_model == 'tiny' else ''}\n"
        f"| | |\n|---|---|\n{table}\n\n## Use\n\n{USAGE}\n"
    )


def _method(training: Training) -> str:
    if training.method == "full":
        return "all weights"
    lora = training.lora
    kind = "LoRA" if training.method == "lora" else "QLoRA (NF4 base)"
    variant = "".join(f", {name}" for name, used in (("rsLoRA", lora.rslora), ("DoRA", lora.dora)) if used)
    layers = ", ".join(lora.target_modules) or "all linear layers"
    return f"{kind}{variant}, rank {lora.rank}, alpha {lora.alpha}, {layers}"
