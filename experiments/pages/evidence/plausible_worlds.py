"""Copy the pages of a calibration and a validation to the documents: ``make docs PAGE=plausible_worlds ARGS='SEARCH VALIDATION'``.

Both arguments are folders of finished studies. The pages go to docs/evidence, their figures to docs/evidence/patterns. The discussion of
patterns that fail, written by hand (docs/evidence/patterns/discussion.md), goes into the page of the validation, before the plots.
Plausible sets are not copied, because they would change the defaults: copy them on purpose.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from experiments.pages import EVIDENCE

__all__ = ["publish"]

FIGURES = "patterns"


def publish(study: Path, docs: Path = EVIDENCE) -> Path:
    """Copy the page of a finished calibration or validation, and its figures, to the documents; return the page.

    Raises
    ------
    FileNotFoundError
        If the folder holds no page of either.
    """
    pages = [study / name for name in ("calibration.md", "validation.md") if (study / name).is_file()]
    if not pages:
        raise FileNotFoundError(f"{study} holds neither calibration.md nor validation.md: no finished calibration or validation")
    page = pages[0]
    text = page.read_text(encoding="utf-8")
    folder = docs / FIGURES
    folder.mkdir(parents=True, exist_ok=True)
    for figure in re.findall(r"\]\((\w+\.png)\)", text):
        shutil.copyfile(study / figure, folder / figure)
    text = re.sub(r"\]\((\w+\.png)\)", rf"]({FIGURES}/\1)", text)
    discussion = folder / "discussion.md"
    if page.name == "validation.md" and discussion.is_file():
        table, plots = text.split("\n## 1.", 1)
        discussed = discussion.read_text(encoding="utf-8").strip().replace("](../", "](")  # it moves up a folder
        text = f"{table}\n{discussed}\n\n## 1.{plots}"
    (docs / page.name).write_text(text, encoding="utf-8")
    return docs / page.name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m experiments.pages plausible_worlds", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path, help="folders of a finished calibration, a finished validation, or both")
    for study in parser.parse_args().studies:
        try:
            print(publish(study))
        except FileNotFoundError as missing:
            raise SystemExit(str(missing)) from None
