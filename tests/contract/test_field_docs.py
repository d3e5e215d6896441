"""The sentences below fields reach the schema, of a class and of the classes inside it."""

import pytest
from pydantic import Field

from contract.config.base import Config


class Inner(Config):
    """What a part is."""

    number: int = 1
    """A number,
    on two lines.
    """


class Base(Config):
    """What is inherited."""

    first: int = 1
    """First of the base."""

    second: int = 2
    """Second of the base."""


class Outer(Base):
    """A class with everything."""

    second: int = 3
    """Second of its own."""

    renamed: Inner = Field(Inner(), alias="called")
    """Known by another name."""

    stated: int = Field(1, description="Stated.")
    """Below it."""

    silent: int = 1


@pytest.mark.parametrize("by_alias", [True, False])
def test_a_schema_has_the_sentences(by_alias):
    schema = Outer.model_json_schema(by_alias=by_alias)
    sentences = {name: field.get("description") for name, field in schema["properties"].items()}
    assert sentences == {
        "first": "First of the base.",
        "second": "Second of its own.",
        "called" if by_alias else "renamed": "Known by another name.",
        "stated": "Stated.",
        "silent": None,
    }
    assert schema["$defs"]["Inner"]["properties"]["number"]["description"] == "A number,\non two lines."
