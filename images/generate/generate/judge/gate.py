"""Whether a criterion's scores may drop rows."""

from dataclasses import dataclass

from contract.config.judge import JudgeConfig
from generate.judge.agreement import Agreement


@dataclass(frozen=True)
class Gate:
    """`open` where rows may be dropped; `reason` says why, or why not."""

    open: bool
    reason: str


def gate(config: JudgeConfig, found: Agreement) -> Gate:
    """Scores may drop rows where agreement with people is as good as demanded, on as many answers as demanded."""
    if config.min_agreement is None:
        return Gate(True, "no agreement is demanded")
    if found.items < config.min_gold:
        return Gate(False, f"{found.items} answers were judged by people too; {config.min_gold} are demanded")
    value = found.by(config.agreement)
    name, least = config.agreement.replace("_", " "), config.min_agreement
    if value is None:
        return Gate(False, f"{name} is not defined: chance alone would bring full agreement")
    return Gate(value >= least, f"{name} {value:.3f} on {found.items} answers; {least:g} is demanded")
