"""The packages that Strongchain stands on: each is on the page, and none has a licence that forbids to pass Strongchain on."""

from __future__ import annotations

import re

from experiments.pages import REFERENCE
from experiments.pages.reference.licences import licence_of, locked

#: Families of licences under which a package may be used by one under the Apache License.
FREE = re.compile(r"\b(0BSD|Apache|BSD|CC0|ISC|MIT|MPL|PSF|Python Software Foundation|Zlib)\b", re.IGNORECASE)


def test_every_package_has_a_licence_that_lets_it_be_used():
    strange = {name: licence_of(name) for name in locked() if licence_of(name) and not FREE.search(licence_of(name))}
    assert not strange
    assert not {name for name in locked() if re.search(r"\b(A?GPL|LGPL|Proprietary)\b", licence_of(name))}


def test_the_page_lists_every_package_with_its_version():
    page = (REFERENCE / "licences.md").read_text(encoding="utf-8")
    missing = {name for name, version in locked().items() if licence_of(name) and f"| {name} | {version} |" not in page}
    assert not missing, "write it again with: make docs PAGE=licences"
