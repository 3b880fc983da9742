"""The page of the packages that Strongchain stands on, with their licences: ``make docs`` writes docs/reference/licences.md."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from experiments.formatting import table
from experiments.pages import REFERENCE

__all__ = ["LOCK", "licence_of", "licences_page", "locked", "write"]

#: What `make` installs.
LOCK = Path(__file__).resolve().parents[3] / "requirements.lock"
#: Licences of packages whose own statement is a whole text, or none.
KNOWN = {"matplotlib": "PSF-2.0", "ptyprocess": "ISC", "scipy": "BSD-3-Clause"}


def locked() -> dict[str, str]:
    """Return the packages of the lock and their versions."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))


def licence_of(name: str) -> str:
    """Return the licence of a package as it states it; empty if it is not installed here."""
    try:
        about = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    classifiers = [line.rsplit("::", 1)[-1].strip() for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    stated, expression = ((about.get_all(head) or [""])[0].strip() for head in ("License", "License-Expression"))
    short = stated if stated and "\n" not in stated and len(stated) < 40 and stated != "UNKNOWN" else ""
    return KNOWN.get(name) or expression or short or ", ".join(classifiers)


def licences_page() -> str:
    """Return the page: a row for each package that this system needs."""
    rows = [[name, version, licence_of(name)] for name, version in locked().items() if licence_of(name)]
    return INTRODUCTION + "\n".join(table(["package", "version", "licence"], rows)) + "\n"


def write(folder: Path) -> None:
    """Write the page into a folder."""
    (folder / "licences.md").write_text(licences_page(), encoding="utf-8")


INTRODUCTION = """\
# Licences

Strongchain is under the Apache License 2.0. It stands on the packages below, which `make` installs from `requirements.lock` (those for
tests included); none of them is copied into the repository. The font in `experiments/figures/fonts` is under the SIL Open Font License 1.1,
whose text lies beside it. Packages that only other systems need are in the lock, too. Written by `make docs` from what each package states;
`make sbom` writes the same list as a bill of materials (CycloneDX).

"""

if __name__ == "__main__":
    write(REFERENCE)
