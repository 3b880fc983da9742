"""Every package of the lock is listed with a licence under which Strongchain may stay under Apache-2.0."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from experiments.pages.reference.licences import ELSEWHERE, LOCK, licence_of, locked
from tests.support.places import REFERENCE

ROW = re.compile(r"\| ([\w.-]+) \| (\d\S*(?:, \d\S*)*) \| (.+) \|")
#: Families of licences, by how their names begin: permissive ones, and the MPL, which covers only the files of the package itself.
ALLOWED = (
    "0BSD", "Apache", "BSD", "CC0", "HPND", "ISC", "MIT", "MPL-2.0", "PSF", "Python Software Foundation", "Zlib",
)  # fmt: skip

LISTED = {name: (versions.split(", "), licence) for name, versions, licence in ROW.findall((REFERENCE / "licences.md").read_text("utf-8"))}


def allowed(licence: str) -> bool:
    """Whether every part is of an allowed family; of alternatives alone, one is enough."""
    parts = [part.strip("() ").startswith(ALLOWED) for part in re.split(r" AND | OR |, ", licence)]
    return any(parts) if " OR " in licence and not re.search(r" AND |, ", licence) else all(parts)


def test_the_page_lists_the_packages_of_the_lock():
    versions = {name: versions for name, (versions, _) in LISTED.items()}
    assert len(LISTED) > 50 and versions == locked(LOCK.read_text("utf-8")), "docs/reference/licences.md is outdated: run make docs"


def test_no_licence_forbids_apache_2():
    bad = {name: licence for name, (_, licence) in LISTED.items() if not allowed(licence)}
    assert not bad, bad


def test_a_package_of_the_version_in_the_lock_has_the_licence_of_the_page():
    installed = {one.metadata["Name"].lower().replace("_", "-"): one.version for one in importlib.metadata.distributions()}
    same = [name for name, (versions, _) in LISTED.items() if installed.get(name) in versions]
    wrong = {name: licence_of(name) for name in same if licence_of(name) != LISTED[name][1]}
    assert same and not wrong, "docs/reference/licences.md is outdated: run make docs"


def test_what_is_known_of_packages_on_other_systems_concerns_packages_of_the_lock():
    assert ELSEWHERE.keys() <= LISTED.keys()


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "LGPL-2.1-or-later",
        "(MIT OR GPL-2.0-only) AND LGPL-3.0-only",
        "not declared",
        "BSD License, GNU General Public License",
    ],
)
def test_another_licence_is_refused(licence):
    assert not allowed(licence)


@pytest.mark.parametrize("licence", ["Apache-2.0 OR BSD-2-Clause", "MIT OR GPL-2.0-only", "BSD-3-Clause AND (MIT AND Zlib)"])
def test_one_of_two_alternatives_is_enough(licence):
    assert allowed(licence)


def test_a_package_that_is_neither_installed_nor_known_is_named():
    with pytest.raises(ValueError, match="no-such-package is in requirements.lock and not installed"):
        licence_of("no-such-package")


def test_a_lock_may_hold_two_versions_of_a_package():
    text = (
        "# a comment==1\nply==3.11 ; sys_platform == 'darwin' \\\n    --hash=sha256:0\ngast==0.6.0 ; python_version < '3.12'\ngast==0.7.0\n"
    )
    assert locked(text) == {"ply": ["3.11"], "gast": ["0.6.0", "0.7.0"]}
