"""E-mail, IP and MAC addresses, and credentials in URLs."""

import ipaddress
import re
from collections.abc import Iterator

from curate.private.context import said_before, words
from curate.private.spans import Span

LOCAL_PART = re.compile(r"\w[\w.+%'-]{0,63}\Z")
DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])")
SPELT_AT = re.compile(r"[\[({]\s?at\s?[\])}]\s?", re.IGNORECASE)
SPELT_DOMAIN = re.compile(r"\w[\w-]{0,62}(?:(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?)\w[\w-]{0,62}){1,4}(?!\w)", re.IGNORECASE)
LONGEST_LOCAL = 64
NOT_MAILBOXES = ("git", "hg", "svn")  # git@github.com:owner/name is an address of code
FILE_ENDINGS = ("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "html", "json", "pdf")  # icon@2x.png

# Here as in the other modules an expression begins with what it consumes, and looks behind after that: re then skips
# to the characters that can begin a match, which is several times as fast as a look at every place.
IPV4 = re.compile(r"\d(?<![\w.-]\d)\d{0,2}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
VERSION_BEFORE = re.compile(
    r"(?:\b(?:version|release|build|rev|section|chapter|v)\.?:? ?|[=<>~^]=? ?)\Z", re.IGNORECASE
)
SMALL = 30
"""Quads of numbers all below this are versions and section numbers, where no word speaks of an address: of addresses
drawn at random one in 5,000 looks like that."""
IP_WORDS = words("ips?", "ipv4", "address(?:es)?", "hosts?", "servers?", "dns", "ping", "client", "gateway", "subnet")

IPV6 = re.compile(r"[\dA-Fa-f:](?<![\w:.][\dA-Fa-f:])[\dA-Fa-f:]{2,38}(?:%\w{1,16})?(?![\w:])")
GLOBAL_V6 = ipaddress.ip_network("2000::/3")

MAC = re.compile(
    r"[\dA-Fa-f](?<![\w:.-][\dA-Fa-f])"
    r"(?:[\dA-Fa-f]([:-])(?:[\dA-Fa-f]{2}\1){4}[\dA-Fa-f]{2}|[\dA-Fa-f]{3}(?:\.[\dA-Fa-f]{4}){2})(?![\w:-])"
)
URL_CREDENTIALS = re.compile(r"(?<=://)[^\s/:@\"'<>{}$]{0,200}:[^\s/@\"'<>{}$][^\s@\"'<>{}/]{0,200}(?=@[\w\[])")


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, those of version control systems and file names with an @ left out."""
    place = text.find("@")
    while place >= 0:
        local, domain = _local_part(text, place), DOMAIN.match(text, place + 1)
        if local and domain and _is_mailbox(local, domain[0]):
            yield Span(place - len(local), domain.end(), "email", "EMAIL")
        place = text.find("@", place + 1)
    for found in SPELT_AT.finditer(text):
        end = found.start() - (text[found.start() - 1 : found.start()] == " ")
        local, domain = _local_part(text, end), SPELT_DOMAIN.match(text, found.end())
        if local and domain:
            yield Span(end - len(local), domain.end(), "email", "EMAIL")


def url_credentials(text: str) -> Iterator[Span]:
    """`user:password` of URLs that carry them."""
    for found in URL_CREDENTIALS.finditer(text):
        yield Span(*found.span(), "url_credentials", "CREDENTIALS")


def ip_addresses(text: str, private: bool) -> Iterator[Span]:
    """IPv4 and IPv6 addresses; those that the internet does not route only with `private`. Versions are not taken."""
    for found in IPV4.finditer(text):
        version = VERSION_BEFORE.search(text, max(0, found.start() - 12), found.start())
        if not version and _counts(found[0], private) and not _numbering(text, found):
            yield Span(*found.span(), "ip", "IP_ADDRESS")
    for found in IPV6.finditer(text):
        if found[0].count(":") > 1 and _counts(found[0].partition("%")[0], private):
            yield Span(*found.span(), "ip", "IP_ADDRESS")


def mac_addresses(text: str) -> Iterator[Span]:
    """Hardware addresses in any of their three notations, except all zeros and broadcast."""
    for found in MAC.finditer(text):
        digits = re.sub(r"[:.-]", "", found[0]).lower()
        if len(set(digits)) > 1 and (not digits.isdecimal() or ":" in found[0]):
            yield Span(*found.span(), "mac", "MAC_ADDRESS")


def _local_part(text: str, end: int) -> str:
    """What may stand before an @; nothing where that is longer than an address has it, or the user of a URL."""
    found = LOCAL_PART.search(text[max(0, end - LONGEST_LOCAL - 1) : end])
    if not found or len(found[0]) > LONGEST_LOCAL:
        return ""
    start = end - len(found[0])
    return "" if text[max(0, start - 3) : start] == "://" else found[0]


def _is_mailbox(local: str, domain: str) -> bool:
    return local.lower() not in NOT_MAILBOXES and domain.rpartition(".")[2].lower() not in FILE_ENDINGS


def _numbering(text: str, found: re.Match[str]) -> bool:
    small = all(int(number) < SMALL for number in found[0].split("."))
    return small and ipaddress.ip_address(found[0]).is_global and not said_before(text, found.start(), IP_WORDS)


def _counts(text: str, private: bool) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if private:
        return not address.is_unspecified
    # Outside 2000::/3 nothing is assigned, and `abc::def` is C++ more often than an address.
    return address.is_global and not address.is_multicast and (address.version == 4 or address in GLOBAL_V6)
