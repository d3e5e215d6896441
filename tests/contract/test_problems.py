"""Validation errors as sentences."""

import pytest

from contract.config.finetune import Training
from contract.failures import BadConfig
from contract.problems import parse_config


def test_what_is_wrong_between_fields_is_said_without_repeating_them_all():
    with pytest.raises(BadConfig) as caught:
        parse_config(Training, {"processes": 4, "accumulation": 1}, "here")
    assert caught.value.found.startswith("accumulation 1 is no multiple of processes 4")
