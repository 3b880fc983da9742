"""The Chinese font that comes with the figures, so that every machine draws the same characters."""

from dataclasses import replace
from importlib.resources import as_file, files

from matplotlib import font_manager

__all__ = ["CHINESE", "add_chinese"]

#: Family name of the subset of Noto Sans SC in this folder (`subset.py` made it).
CHINESE = "Noto Sans SC of Strongchain"


def add_chinese() -> str:
    """Make the font known to Matplotlib, once a process, and return the name of its family."""
    known = font_manager.fontManager
    if CHINESE not in {font.name for font in known.ttflist}:
        with as_file(files(__name__).joinpath("NotoSansSC-subset.ttf")) as path:
            known.addfont(path)
        # There is one weight. It stands for bold, too, or Matplotlib would print a warning for every bold heading.
        known.ttflist.append(replace(known.ttflist[-1], weight=700))
    return CHINESE
