"""Telling that a model declined, where the server does not say so itself."""

import re

from generate.llm.answer import Answer

# The opening words of refusals by the assistants in use; only the start of an answer counts, since a text may well
# quote such a sentence further down.
OPENINGS = re.compile(
    r"\s*(?:i['’]?m (?:really |very |so )?sorry,? (?:but )?(?:i |as )|sorry,? (?:but )?i (?:can|am)|i apologi[sz]e,?"
    r" but|i (?:can(?:no|['’])t|am (?:not able|unable)|won['’]t|will not) (?:be able to |to )?"
    r"(?:assist|help|comply|provide|create|generate|fulfil|do that|write|continue)"
    r"|as an ai\b|unfortunately,? i (?:can|am)|i must decline"
    r"|(?:przykro mi|przepraszam|niestety),? (?:ale )?nie (?:mogę|jestem w stanie)\b"
    r"|nie (?:mogę|jestem w stanie) (?:ci |w tym )?(?:pomóc|spełnić|wykonać|tego zrobić|napisać)"
    r"|jako (?:model językowy|sztuczna inteligencja)\b)",
    re.IGNORECASE,
)


def refusal_of(answer: Answer) -> str | None:
    """The refusal in an answer, or None: said by the server, by its content filter, or in so many words."""
    if answer.refusal:
        return answer.refusal
    if answer.finish_reason == "content_filter":
        return "stopped by the server's content filter"
    return answer.text if declines(answer.text) else None


def declines(text: str) -> bool:
    """Whether a text opens as refusals do."""
    return bool(OPENINGS.match(text))
