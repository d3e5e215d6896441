"""Licences as SPDX identifiers, from the names and addresses under which sources state them.

Only what names a licence beyond doubt is translated; anything else stays as it was written.
"""

import re

CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)(?:/(igo|[a-z]{2})(?![a-z.]))?|publicdomain/(zero|mark)/1\.0)"
)
CC_NAME = re.compile(r"cc[- ](by(?:[- ]nc)?(?:[- ](?:nd|sa))?)[- ]v?(\d\.\d)(?: (?:international|unported|deed))?")
CC_WORDS = {
    "attribution": "by",
    "noncommercial": "nc",
    "noderivatives": "nd",
    "noderivs": "nd",
    "sharealike": "sa",
}
CC_LONG = re.compile(
    r"creative commons ((?:attribution|noncommercial|noderivatives|noderivs|sharealike|[- ])+)(\d\.\d)"
)
ADDRESS = re.compile(r"^https?://(?:www\.)?", re.IGNORECASE)
DECLARED = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+() -]+)")

IDS = (
    "MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense", "0BSD", "MPL-2.0",
    "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later",
    "LGPL-3.0-only", "LGPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later", "EPL-2.0", "PSF-2.0", "BSL-1.0",
    "CC0-1.0", "CC-PDM-1.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
    "GFDL-1.3-only", "OGL-UK-3.0", "WTFPL", "Artistic-2.0", "EUPL-1.2",
)  # fmt: skip
NAMES = {
    "mit license": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mit license (mit)": "MIT",
    "opensource.org/licenses/mit": "MIT",
    "opensource.org/license/mit": "MIT",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "opensource.org/licenses/apache-2.0": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "the unlicense": "Unlicense",
    "this is free and unencumbered software released into the public domain.": "Unlicense",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license version 2.0": "MPL-2.0",
    "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
    "mozilla.org/mpl/2.0": "MPL-2.0",
    "gnu general public license version 2": "GPL-2.0-only",
    "gnu general public license version 3": "GPL-3.0-only",
    "gnu lesser general public license version 2.1": "LGPL-2.1-only",
    "gnu lesser general public license version 3": "LGPL-3.0-only",
    "gnu affero general public license version 3": "AGPL-3.0-only",
    "gnu.org/licenses/gpl-3.0": "GPL-3.0-only",
    "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only",
    "gnu.org/licenses/agpl-3.0": "AGPL-3.0-only",
    "gnu.org/licenses/lgpl-3.0": "LGPL-3.0-only",
    "gnu.org/licenses/fdl-1.3": "GFDL-1.3-only",
    "cc0": "CC0-1.0",
    "cc0 1.0 universal": "CC0-1.0",
    "creative commons zero v1.0 universal": "CC0-1.0",
    "opendatacommons.org/licenses/by/1-0": "ODC-By-1.0",
    "opendatacommons.org/licenses/odbl/1-0": "ODbL-1.0",
    "opendatacommons.org/licenses/pddl/1-0": "PDDL-1.0",
    "gpl-3.0": "GPL-3.0-only",
    "gpl-2.0": "GPL-2.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
}
KNOWN = {name.lower(): name for name in IDS} | NAMES
LICENSE_FILE = re.compile(r"(?:^|/)(?:licen[cs]e|copying)(?:\.(?:md|txt|rst))?$", re.IGNORECASE)
"""The names under which a folder keeps its licence."""


def spdx_id(stated: str) -> str:
    """The SPDX identifier of a licence's name or address; what is not recognised is handed back as it stands."""
    text = " ".join(stated.split()).lower()
    if found := KNOWN.get(text):
        return found
    bare = ADDRESS.sub("", text).rstrip("/")
    bare = bare.removesuffix(".html").removesuffix(".txt").removesuffix(".php").removesuffix(".en")
    return KNOWN.get(bare) or _creative_commons(text) or stated


def license_of_file(text: str) -> str | None:
    """The licence that a licence's file holds, by its own declaration or its first two lines; None where unknown."""
    if declared := DECLARED.search(text[:2_000]):
        return spdx_id(declared[1].strip())
    lines = [line.strip("# \t") for line in text.splitlines()[:40] if line.strip()][:2]
    for title in (" ".join(lines), *lines[:1]):
        plain = re.sub(r",? (?:\d+ )?(?:january|june|march|november) \d{4}.*$", "", title, flags=re.IGNORECASE)
        if (found := spdx_id(plain)) != plain or plain.lower() in KNOWN:
            return found
    return None


def _creative_commons(text: str) -> str | None:
    if address := CREATIVE_COMMONS.search(text):
        kind, version, place, public = address.groups()
        if public:
            return "CC0-1.0" if public == "zero" else "CC-PDM-1.0"
        return f"CC-{kind.upper()}-{version}" + (f"-{place.upper()}" if place and version < "4" else "")
    if short := CC_NAME.fullmatch(text):
        return f"CC-{short[1].replace(' ', '-').upper()}-{short[2]}"
    if long := CC_LONG.match(text):
        parts = [CC_WORDS[word] for word in re.split("[- ]+", long[1].strip(" -"))]
        return f"CC-{'-'.join(parts).upper()}-{long[2]}"
    return None
