"""Licences by whatever name sources state them."""

import pytest

from curate.spdx import license_of_file, spdx_id

STATED = {
    "MIT": "MIT",
    "mit": "MIT",
    " The MIT  License ": "MIT",
    "https://opensource.org/licenses/MIT": "MIT",
    "Apache License, Version 2.0": "Apache-2.0",
    "http://www.apache.org/licenses/LICENSE-2.0.txt": "Apache-2.0",
    "https://www.gnu.org/licenses/gpl-3.0.en.html": "GPL-3.0-only",
    "http://creativecommons.org/licenses/by/4.0/": "CC-BY-4.0",
    "https://creativecommons.org/licenses/by-nc-sa/4.0/deed.de": "CC-BY-NC-SA-4.0",
    "https://creativecommons.org/licenses/by-sa/3.0/de/": "CC-BY-SA-3.0-DE",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "Creative Commons Attribution-ShareAlike 4.0 International": "CC-BY-SA-4.0",
    "CC BY": "CC BY",
    "All rights reserved": "All rights reserved",
    "Apache": "Apache",
    "see LICENSE": "see LICENSE",
}


@pytest.mark.parametrize("stated", STATED)
def test_a_name_or_address_becomes_its_identifier_and_anything_else_stays(stated):
    assert spdx_id(stated) == STATED[stated]
    assert spdx_id(STATED[stated]) == STATED[stated]


FILES = {
    "MIT License\n\nCopyright (c) 2026 Ada\n\nPermission is hereby granted": "MIT",
    "             Apache License\n       Version 2.0, January 2004\n": "Apache-2.0",
    "GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n": "GPL-3.0-only",
    "# Creative Commons Attribution 4.0 International\n\n": "CC-BY-4.0",
    "SPDX-License-Identifier: BSD-3-Clause\nCopyright": "BSD-3-Clause",
    "You may do with this what we agreed on.": None,
    "": None,
}


@pytest.mark.parametrize("text", FILES)
def test_a_licence_file_says_which_licence_it_is(text):
    assert license_of_file(text) == FILES[text]
