"""A figure as a slide of 16:9: its finding above it, its source below it, no letter under 14 points on a page of 13.333 × 7.5 inches.

A slide is a small figure that is shown large: its letters are those of a printed figure, and the page is as large as these letters ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from experiments.figures.style import LETTERS, SMALL, About, finish, style, wrapped

__all__ = ["DPI", "ROOM", "SLIDE", "paragraphs", "slide"]

#: Width and height of a slide, pixels; points to an inch of its page of 13.333 × 7.5 inches.
SLIDE, DPI = (2667, 1500), 200
#: Letters of a slide are at least so large, points.
LEAST = 14.0
#: How much larger a slide is shown than its figure is drawn.
TIMES = LEAST / SMALL
#: Size of the drawn figure, inches, and what of its height the title and the source leave.
WIDTH, HEIGHT = SLIDE[0] / DPI / TIMES, SLIDE[1] / DPI / TIMES
ROOM = 2.85
#: Size of the title in the drawn figure, points: 20 on the slide.
TITLE = 20.0 / TIMES


def paragraphs(texts: Sequence[str], about: About) -> Figure:
    """Write paragraphs as a figure without axes, for a slide: all but the last in letters of the title's size.

    Parameters
    ----------
    texts : sequence of str
    about : dict, or sequence of dict
        As for `finish`.
    """
    with matplotlib.rc_context(style()):
        drawn = Figure(figsize=(WIDTH, ROOM))
        ax = drawn.subplots()
        ax.axis("off")
        top = 1.0
        for number, text in enumerate(texts, 1):
            size = SMALL if number == len(texts) else 0.9 * TITLE
            lines = wrapped(text, int(WIDTH * LETTERS * SMALL / size * 0.92))
            ax.text(0.0, top, lines, ha="left", va="top", fontsize=size, linespacing=1.35, transform=ax.transAxes)
            top -= (1.35 * (1 + lines.count("\n")) + 0.9) * size / 72.0 / ROOM
        return finish(drawn, about)


def slide(figure: Figure, title: str) -> Figure:
    """Make a slide of a figure, in place: its size, its title, its source in the width of a slide; `save` it with `DPI` times `TIMES`.

    Parameters
    ----------
    figure : Figure
        At most as high as `ROOM`, else its parts come close to each other.
    title : str
        The finding.
    """
    with matplotlib.rc_context(style()):
        figure.set_size_inches(WIDTH + 1e-6, HEIGHT + 1e-6)  # a pixel is not lost by rounding
        text = wrapped(title, int(WIDTH * LETTERS * SMALL / TITLE * 0.9))
        figure.text(0.012, 0.98, text, ha="left", va="top", fontsize=TITLE, weight="bold", linespacing=1.1)
        top = 0.965 - (1 + text.count("\n")) * TITLE * 1.3 / 72.0 / HEIGHT
        below = top
        for legend in figure.legends:  # the layout leaves no room for a legend that has a place of its own
            legend.set_bbox_to_anchor((0.0, 0.0, 1.0, top), transform=figure.transFigure)
            figure.draw_without_rendering()
            below = min(below, figure.transFigure.inverted().transform(legend.get_window_extent())[0, 1] - 0.01)
        if engine := figure.get_layout_engine():
            engine.set(rect=(0.0, 0.0, 1.0, below))  # type: ignore[call-arg]
        source = figure._supxlabel  # type: ignore[attr-defined]  # there is no public way to a text that was written
        if source is not None:
            source.set_text(wrapped(source.get_label(), int(WIDTH * LETTERS) - 4))
    return figure
