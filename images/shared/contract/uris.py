"""Addresses of datasets and sources: `s3://bucket/prefix`, `file:///folder`, or a plain path."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from contract.failures import BadConfig
from contract.redact import redacted

LATEST = "latest"
NAME_BYTES, PATH_BYTES = 255, 4_000
"""Longest name and path that Linux takes (4,096), with room for the names of a dataset's own files."""
KEY_BYTES = 1_000
"""Longest key that S3 takes (1,024), with the same room."""
WEB = ("http", "https")
HUB = "hub"


class Address(NamedTuple):
    """A parsed URI. `bucket` is empty for local paths; `path` has no trailing slash."""

    scheme: str
    bucket: str
    path: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.path}" if self.scheme == "s3" else f"file://{self.path}"

    def child(self, *names: str) -> "Address":
        """The address below this one."""
        return self._replace(path="/".join([self.path.rstrip("/"), *names]).lstrip("/" if self.scheme == "s3" else ""))


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case; empty for a plain path."""
    scheme, colon, _ = uri.partition("://")
    return scheme.lower() if colon else ""


def is_gathered(uri: str) -> bool:
    """Whether a source is no file or folder: it is on the web or on the Hugging Face Hub, and fetched by its stage."""
    return scheme_of(uri) in (*WEB, HUB)


def parse_uri(uri: str, base: str | None = None) -> Address:
    """Read a URI; a relative path counts from `base` (a URI) or else from the working directory.

    Raises `BadConfig` for schemes other than `file` and `s3`, and for names that no disk or bucket takes.
    """
    address = _parsed(uri, base)
    if problem := _too_long(address):
        raise BadConfig(problem, where=f"{redacted(uri)[:80]!r} ...")
    return address


def _too_long(address: Address) -> str:
    """What is too long about an address; empty where nothing is."""
    whole = len(address.path.encode("utf-8", "surrogatepass"))
    most = KEY_BYTES if address.scheme == "s3" else PATH_BYTES
    if whole > most:
        return f"an address of {whole:,} bytes; expected {most:,} at most"
    longest = max(len(name.encode("utf-8", "surrogatepass")) for name in address.path.split("/"))
    if address.scheme == "file" and longest > NAME_BYTES:
        return f"a name of {longest:,} bytes in an address; expected {NAME_BYTES} at most, which is all that disks take"
    return ""


def _parsed(uri: str, base: str | None) -> Address:
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise BadConfig(f"{redacted(uri)!r} names no bucket", expected="s3://bucket/prefix")
        return Address("s3", parts.netloc, unquote(parts.path).strip("/"))
    if parts.scheme == "file":
        if parts.netloc:
            raise BadConfig(f"{redacted(uri)!r} names a host", expected="file:///absolute/path")
        return Address("file", "", str(Path(unquote(parts.path))))
    if "://" in uri:
        raise BadConfig(f"{redacted(uri)!r} has the scheme {parts.scheme!r}", expected="s3://, file:// or a path")
    if base and not Path(uri).is_absolute():
        return _parsed(base, None).child(*(part for part in Path(uri).parts if part != "."))
    return Address("file", "", str(Path(uri).expanduser().absolute()))
