"""The same architecture in another size."""

from collections.abc import Mapping
from typing import Any


def resized(config: Any, values: Mapping[str, Any], layers: int) -> Any:
    """A copy of a model's config with those of `values` that it has, and `layers` layers of each of its kinds.

    What a config derives from other fields it says itself, so that cannot be set and is left alone.
    """
    chosen = {name: value for name, value in values.items() if has(config, name)}
    kinds = layer_kinds(config)
    depth = layers * len(kinds)
    chosen |= {name: depth for name in ("num_hidden_layers", "n_layer") if has(config, name)}
    if has(config, "layer_types"):
        chosen["layer_types"] = kinds * layers
    return type(config).from_dict(config.to_dict() | chosen)


def layer_kinds(config: Any) -> list[str]:
    """The kinds of layers that alternate, each once, in their order; one where all are alike."""
    return list(dict.fromkeys(getattr(config, "layer_types", None) or ["alike"]))


def has(config: Any, name: str) -> bool:
    """Whether a config has a value of this name that can be set."""
    return getattr(config, name, None) is not None and not isinstance(getattr(type(config), name, None), property)
