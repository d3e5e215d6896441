"""The plan as a page for people: what it takes, what fits, what is learned, what was overruled."""

from collections.abc import Iterable, Sequence
from typing import Any

from contract.config.finetune import Training
from finetune.launch import shown_command
from finetune.plan.sharing import as_rows


def as_markdown(plan: dict[str, Any], training: Training) -> str:
    """The plan's figures as Markdown tables."""
    parts = [
        f"# Plan: {training.method} on {training.base_model}",
        f"Batch {training.batch_size} x {training.max_length} tokens, {training.optimizer}; "
        f"GPU: {_gigabytes(plan['gpu_memory_gb'])}.",
        "## Memory (GB)",
        _memory(plan["sizes"]),
        "## What fits",
        _variants(plan["variants"], training),
        processes_section(plan["launch"], plan["gpus"], training),
        "## Path",
        _path(plan["path"]),
        "## Tokens",
        _tokens(plan["tokens"]),
        "## Checks",
        _checks(plan),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def sizes_section(sizes: dict[str, float], available: float | None) -> str:
    """One training's memory by part."""
    rows = [[name, f"{size:.3g}"] for name, size in sizes.items()]
    return f"## Memory of each GPU (GB of {_gigabytes(available)})\n\n{table(['part', 'GB'], rows)}"


def processes_section(launch: dict[str, Any], needs: Sequence[dict[str, Any]], training: Training) -> str:
    """What is started, why so, and what each number of GPUs would need."""
    numbers = table(["GPUs", "model", "GB on each", "fits"], as_rows(needs))
    return f"## Several GPUs\n\n{_processes(launch, training)}\n\n{numbers}"


def _processes(launch: dict[str, Any], training: Training) -> str:
    rows = training.batch_size * training.accumulation
    if launch["processes"] == 1:
        return f"One process; an update learns from {rows} rows."
    share = training.accumulation // launch["processes"]
    return (
        f"{launch['processes']} processes, `{launch['sharding']}`: {launch['reason']}. "
        f"An update learns from {rows} rows, {training.batch_size} x {share} in each process.\n\n"
        f"`train` runs, with these files:\n\n    {shown_command(launch['sharding'])}"
    )


def _memory(sizes: dict[str, Any]) -> str:
    names = list(next(iter(sizes.values()))["gigabytes"])
    rows = [[name, *(f"{sizes[method]['gigabytes'][name]:.3g}" for method in sizes)] for name in names]
    trained = ["trained parameters", *(f"{size['trainable']:,} ({size['share']:.4%})" for size in sizes.values())]
    return table(["part", *sizes], [*rows, trained])


def _variants(found: Sequence[dict[str, Any]], training: Training) -> str:
    chosen = (training.method, training.optimizer, training.checkpointing)
    rows = [
        [
            *(f"**{cell}**" if chosen == _key(variant) else cell for cell in _cells(variant)),
            f"{variant['gigabytes']:.3g}",
            "" if variant["largest_batch"] is None else variant["largest_batch"],
        ]
        for variant in found
    ]
    return table(["method", "optimizer", "gradient checkpointing", "GB", "largest batch"], rows)


def _path(path: dict[str, Any]) -> str:
    checkpointing = "recomputed in the backward pass" if path["gradient_checkpointing"] else "kept"
    compiled = "compiled" if path["compile"] else "not compiled"
    return f"Attention: `{path['attention']}`; activations are {checkpointing}; the model is {compiled}."


def _cells(variant: dict[str, Any]) -> tuple[str, str, str]:
    return variant["method"], variant["optimizer"], "yes" if variant["gradient_checkpointing"] else "no"


def _key(variant: dict[str, Any]) -> tuple[str, str, bool]:
    return variant["method"], variant["optimizer"], variant["gradient_checkpointing"]


def _tokens(figures: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    return table(["figure", *figures], [[name, *(f"{figures[part][name]:,g}" for part in figures)] for name in names])


def _checks(plan: dict[str, Any]) -> str:
    parity, isolated = plan["parity"], plan["isolated"]
    lines = [
        f"- Template parity: {parity['answers']} answers of {parity['samples']} samples, "
        f"{parity['served_answers']} also as a server renders them: no difference."
        if parity
        else "- Template parity: does not hold.",
        {
            True: "- Packed samples cannot see each other.",
            False: "- Packed samples see each other.",
            None: "- Samples are not packed.",
        }[isolated],
        *(f"- Overruled `{name}`: {reason}" for name, reason in plan["overruled"].items()),
    ]
    return "\n".join(lines)


def _gigabytes(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} GB"
