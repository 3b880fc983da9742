"""The page of the packages used and of their licences: ``make docs`` writes docs/reference/licences.md."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from experiments.formatting import table
from experiments.pages import DOCS, REFERENCE

__all__ = ["licence_of", "licences_page", "locked", "write"]

LOCK = DOCS.parent / "requirements.lock"
ENTRY = re.compile(r"([\w.-]+)==(\S+)")
#: Packages of the lock that this system may not have, because only macOS, Windows or PyPy needs them: as they declare it themselves.
ELSEWHERE = {
    "appnope": "BSD-2-Clause",
    "beniget": "BSD License",
    "cffi": "MIT-0",
    "colorama": "BSD License",
    "gast": "BSD License",
    "ply": "BSD",
    "pycparser": "BSD-3-Clause",
    "pythran": "BSD-3-Clause",
}


def locked(text: str) -> dict[str, list[str]]:
    """Return the versions of each package in the text of a lock file: of some, another for an older Python."""
    versions: dict[str, list[str]] = {}
    for name, version in (found.groups() for line in text.splitlines() if (found := ENTRY.match(line))):
        versions.setdefault(name, []).append(version)
    return versions


def licence_of(package: str) -> str:
    """Return what an installed package declares: an expression, else the names of its classifiers, else the first line of its text."""
    try:
        about = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        if package not in ELSEWHERE:
            hint = f"install it, or give its licence in ELSEWHERE of {Path(__file__).name}"
            raise ValueError(f"{package} is in requirements.lock and not installed: {hint}") from None
        return ELSEWHERE[package]
    expression, classifiers, text = (about.get_all(key) or [] for key in ("License-Expression", "Classifier", "License"))
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(expression or named) or "".join(text).partition("\n")[0] or "not declared"


def licences_page() -> str:
    """Return the page: a row for each package of requirements.lock."""
    rows = ([name, ", ".join(versions), licence_of(name)] for name, versions in locked(LOCK.read_text(encoding="utf-8")).items())
    return "\n".join([*INTRODUCTION.splitlines(), "", *table(["package", "version", "licence"], rows)]) + "\n"


def write(folder: Path) -> None:
    """Write the page into a folder."""
    (folder / "licences.md").write_text(licences_page(), encoding="utf-8")


INTRODUCTION = """\
# Licences of the packages used

Written by `make docs` from `requirements.lock` and from what each installed package declares. Strongchain is under the
[Apache License 2.0](../../LICENSE). It contains none of these packages: pip installs them. Some are needed only on macOS, on
Windows, or by the tests. A package may contain code of others under further licences; its own files name them.

One part of the project is under another licence: the Chinese font (Noto Sans SC) in `experiments/figures/fonts` is under the
[SIL Open Font License 1.1](../../experiments/figures/fonts/OFL.txt)."""

if __name__ == "__main__":
    write(REFERENCE)
