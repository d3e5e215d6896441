"""From jurors' scores to one, and whose family a model is of."""

import statistics
from collections.abc import Sequence

FAMILIES: dict[str, tuple[str, ...]] = {
    "OpenAI": ("gpt", "chatgpt", "o1", "o3", "o4", "davinci"),
    "Anthropic": ("claude",),
    "Google": ("gemini", "gemma", "palm"),
    "Meta": ("llama", "meta-llama", "codellama"),
    "Mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral", "open-mistral", "open-mixtral"),
    "Alibaba": ("qwen", "qwq"),
    "DeepSeek": ("deepseek",),
    "Microsoft": ("phi",),
    "Cohere": ("command", "c4ai", "aya"),
    "Zhipu": ("glm", "chatglm"),
    "Moonshot": ("kimi", "moonshot"),
    "xAI": ("grok",),
    "IBM": ("granite",),
    "NVIDIA": ("nemotron", "llama-3.1-nemotron", "llama-3.3-nemotron"),
    "Ai2": ("olmo", "tulu"),
    "01.AI": ("yi",),
    "SpeakLeash": ("bielik",),
}
"""Who trained a model, by how its name begins; the longest beginning counts. A judge prefers what its own family wrote
(Panickssery et al. 2024, arXiv 2404.13076)."""


def family(model: str) -> str:
    """The family of a model's name, whatever organisation or path stands before it; a strange one is its own."""
    name = model.rstrip("/").rpartition("/")[2].lower()
    known = [(len(start), house) for house, starts in FAMILIES.items() for start in starts if name.startswith(start)]
    return max(known)[1] if known else name


def aggregate(values: Sequence[float | None], how: str) -> float | None:
    """One score of all jurors' (None where one is missing), or None where half of them or fewer gave one."""
    given = [value for value in values if value is not None]
    if 2 * len(given) <= len(values):
        return None
    if how == "median":
        return float(statistics.median(given))
    return statistics.fmean(statistics.multimode(given) if how == "vote" else given)
