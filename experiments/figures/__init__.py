"""Figures: each a function from a table of a study and its manifest to a Figure, in one style; docs/reference/gallery.md shows them all."""

from experiments.figures.effects import effects_figure, gains_figure, origins_figure, pairs_figure
from experiments.figures.money import books_figure, costs_figure
from experiments.figures.network import FIRMS, firms_figure, flows_figure
from experiments.figures.paths import queues_figure, time_paths
from experiments.figures.replicates import enough_figure, luck_figure
from experiments.figures.slides import SLIDE
from experiments.figures.style import COLOURS, save, save_all, style
from experiments.figures.sweeps import sweep_figure

__all__ = [
    "COLOURS",
    "FIRMS",
    "SLIDE",
    "books_figure",
    "costs_figure",
    "effects_figure",
    "enough_figure",
    "firms_figure",
    "flows_figure",
    "gains_figure",
    "luck_figure",
    "origins_figure",
    "pairs_figure",
    "queues_figure",
    "save",
    "save_all",
    "style",
    "sweep_figure",
    "time_paths",
]
