"""Values that may stay."""

import re
from collections.abc import Sequence

from curate.patterns import Expression
from curate.private.spans import Span


class Allowed:
    """Allow-lists: exact values in any case, patterns of whole values, domains with their subdomains."""

    def __init__(self, values: Sequence[str], patterns: Sequence[str], domains: Sequence[str] = ()) -> None:
        self._values = frozenset(value.casefold() for value in values)
        self._patterns = [Expression(pattern, "allow_patterns") for pattern in patterns]
        self._domains = tuple(domain.casefold().lstrip("@.") for domain in domains)

    def __call__(self, text: str, span: Span) -> bool:
        """Whether what stands in the span may stay."""
        value = text[span.start : span.end]
        if value.casefold() in self._values or any(pattern.fullmatch(value) for pattern in self._patterns):
            return True
        return bool(self._domains) and self._of_a_domain(_host(text, span))

    def _of_a_domain(self, host: str) -> bool:
        return any(host == domain or host.endswith(f".{domain}") for domain in self._domains)


def _host(text: str, span: Span) -> str:
    """The domain of an e-mail address, or of the URL whose credentials are in the span; else empty."""
    if span.kind == "email":
        return text[span.start : span.end].rpartition("@")[2].casefold()
    if span.kind == "url_credentials":
        found = re.match(r"@([\w.-]+)", text[span.end : span.end + 256])
        return found[1].casefold() if found else ""
    return ""
