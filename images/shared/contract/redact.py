"""Secrets out of text: what people paste into an address must reach neither a message, a log nor a manifest."""

import re

HIDDEN = "***"
USER_INFO = re.compile(r"(?<=://)(?:[^\s\"'/@]*:[^\s\"']*|[^\s\"'/@:]*)@")
QUERY_SECRET = re.compile(
    r"(?i)(?<=[?&])(access_token|api_?key|credential|key|passw(?:or)?d|secret|sig(?:nature)?|token|x-amz-[a-z-]+)"
    r"=[^&\s\"'#]+"
)
SECRET_FIELD = re.compile(r"(?i)api_?key|authorization|credential|passw(?:or)?d|secret|(?:^|[._])token$")


def redacted(text: str) -> str:
    """Text with users, passwords and tokens in the URLs that it holds replaced by `***`.

    A URL whose path holds an `@` after a port may lose more than its user: hiding too much is the safe mistake.
    """
    return QUERY_SECRET.sub(rf"\1={HIDDEN}", USER_INFO.sub(f"{HIDDEN}@", text))


def names_secret(field: str) -> bool:
    """Whether a field goes by a name under which people keep secrets."""
    return SECRET_FIELD.search(field) is not None
