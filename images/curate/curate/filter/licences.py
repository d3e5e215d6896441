"""Licences by their SPDX names, whatever way a source writes them."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from curate.filter.rows import Check, Rows, Verdicts, failing

UNKNOWN = "unknown"
CREATIVE_COMMONS = re.compile(
    r"(?:cc|creative ?commons)[- ]?(by(?:[- ](?:nc|nd|sa))*)[- ]?v?(\d(?:\.\d)?)?\b.*", re.ASCII
)
SPELLINGS = {
    "CC-PD": ("public domain",),
    "CC0-1.0": ("cc0", "cc zero", "cc0 1.0", "creative commons zero"),
    "Apache-2.0": ("apache", "apache 2", "apache 2.0", "apache2", "asl 2.0"),
    "MIT": ("mit", "expat"),
    "ISC": ("isc", "isc license (iscl)"),
    "BSD-3-Clause": ("bsd", "bsd 3 clause", "new bsd", "modified bsd"),
    "BSD-2-Clause": ("bsd 2 clause", "simplified bsd"),
    "0BSD": ("0bsd",),
    "Unlicense": ("unlicense",),
    "MPL-2.0": ("mpl 2.0", "mozilla public 2.0", "mozilla public license 2.0 (mpl 2.0)"),
    "GPL-2.0-or-later": ("gpl",),
    "GPL-2.0-only": ("gplv2", "gpl 2.0"),
    "GPL-3.0-only": ("gplv3", "gpl 3.0"),
    "LGPL-3.0-only": ("lgplv3", "lgpl 3.0"),
    "LGPL-2.1-only": ("lgpl 2.1",),
    "AGPL-3.0-only": ("agplv3", "agpl 3.0"),
    "PSF-2.0": ("psf", "python software foundation"),
    "Zlib": ("zlib",),
    "BSL-1.0": ("boost software 1.0",),
    "WTFPL": ("wtfpl",),
    "ODC-By-1.0": ("odc by", "odc by 1.0"),
    "ODbL-1.0": ("odbl 1.0",),
    "GFDL-1.3-or-later": ("gfdl 1.3",),
}
"""What people write for an SPDX name, without case, hyphens and the words "the" and "license"."""
WORDING = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}

KNOWN = {name.casefold(): name for name in SPELLINGS} | {
    name.casefold(): name
    for name in ("GPL-3.0-or-later", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "AGPL-3.0-or-later", "EPL-2.0",
                 "Artistic-2.0", "MIT-0", "Unicode-3.0", "EUPL-1.2", "CDLA-Permissive-2.0", "OpenRAIL")
}  # fmt: skip


def spdx(written: str | None) -> str | None:
    """The SPDX name of a licence as a source writes it; None where that is not known."""
    text = " ".join((written or "").casefold().replace("_", "-").split())
    if text in KNOWN:
        return KNOWN[text]
    plain = re.sub(r"\b(?:the|licen[cs]e|version|v(?=\d))\b,? ?", "", text.replace("-", " ")).strip(" ,")
    if plain in WORDING:
        return WORDING[plain]
    found = CREATIVE_COMMONS.fullmatch(text)
    if found is None:
        return None
    parts = "-".join(part.upper() for part in re.split("[- ]", found[1]))
    number = found[2] or ""
    return f"CC-{parts}-{number if '.' in number else f'{number}.0'}" if number else f"CC-{parts}"


def licensed(allowed: Sequence[str] | None) -> Check | None:
    """The licence must be one of those allowed: by SPDX name, as written, by a pattern with `*`, or `unknown`."""
    if allowed is None:
        return None
    patterns = {form.casefold() for name in allowed for form in (name, spdx(name) or name)}
    threshold = ", ".join(allowed)

    def objection(written: str | None) -> str | None:
        name = spdx(written)
        forms = {(written or "").casefold(), (name or UNKNOWN).casefold()}
        fits = any(fnmatchcase(form, pattern) for form in forms if form for pattern in patterns)
        return None if fits else written or "none"

    def check(rows: Rows) -> Verdicts:
        verdicts = {written: objection(written) for written in set(rows.licenses)}
        return failing([verdicts[written] for written in rows.licenses], threshold)

    return check
