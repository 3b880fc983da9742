"""What all figures share: the style, the marks of arms and judgements, units, legends, small print, and how they are saved.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; marker and dash tell the arms apart in
black and white too. A figure is drawn at the size at which it is printed: one or two columns wide.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from experiments.analysis.arms import names_of_regions
from experiments.analysis.verdicts import Conclusion, Judgement, judgement
from experiments.figures.fonts import add_chinese
from experiments.formatting import in_calendar
from experiments.languages.wording import label, say
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = [
    "CAUSE_STYLES",
    "COLOURS",
    "LETTERS",
    "MARKS",
    "SHOWN",
    "SINGLE",
    "SMALL",
    "TEXT",
    "WIDE",
    "About",
    "Mark",
    "arm_marks",
    "cause_patches",
    "finish",
    "handle",
    "judged",
    "label_of",
    "legend",
    "metadata_of",
    "name_months",
    "repeatable",
    "save",
    "save_all",
    "scaled_unit",
    "shortened",
    "style",
    "unit_of_difference",
    "window",
    "without_values",
    "wrapped",
]

#: The manifest of a study, or those of the points of a sweep.
About = Mapping[str, Any] | Sequence[Mapping[str, Any]]

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
#: Widths of one column and of two, inches.
SINGLE, WIDE = 3.4, 7.0
#: Sizes of text, points: nothing is smaller than the second.
TEXT, SMALL = 7.5, 6.5
#: Letters of the small size to an inch.
LETTERS = 20.5
#: Outcomes that the default figures show.
SHOWN = (HEADLINE, "nonconformity", "open_problems", "copq")
#: Of a cause of defects: colour and hatch.
CAUSE_STYLES = {"common": ("#0072B2", ""), "special": ("#D55E00", "////"), "interface": ("#009E73", "....")}

#: Signs with which no line begins, and with which none ends.
NOT_FIRST, NOT_LAST = "，。；：、！？）》”’」』】", "（《“‘「『【"

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class Mark:
    """How an arm, or what is judged of a value, is drawn."""

    colour: str
    marker: str = "o"
    dash: Any = "-"
    filled: bool = True

    @property
    def face(self) -> str:
        """Colour inside the marker."""
        return self.colour if self.filled else "white"


#: How a difference is drawn, by what it means.
MARKS = {
    Judgement.BETTER: Mark(COLOURS[1], "o"),
    Judgement.WORSE: Mark(COLOURS[2], "s"),
    Judgement.DIFFERENT: Mark(COLOURS[3], "D"),
    Judgement.NOT_SHOWN: Mark("#666666", "o", filled=False),
}


def judged(row: Mapping[str, Any]) -> Judgement:
    """Judge a row of differences by its columns `conclusion` and `better`; all that shows no difference has one mark."""
    meaning = judgement(Conclusion(row["conclusion"]), row["better"])
    return meaning if meaning in MARKS else Judgement.NOT_SHOWN


@cache
def _chinese() -> tuple[str, ...]:
    """The font that comes with the figures; for rare characters, any font of the machine."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    known = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")
    return (add_chinese(), *(name for name in known if name in installed))


#: Settings of Matplotlib that draw nothing.
_DRAW_NOTHING = ("backend", "backend_fallback", "interactive", "toolbar", "timezone", "datapath", "webagg", "date.epoch")


def style() -> Any:
    """Return the Matplotlib settings of every figure: ours, and else its defaults, since a ``matplotlibrc`` may be anybody's."""
    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith(_DRAW_NOTHING)}
    return defaults | {
        "font.family": ["DejaVu Sans", *_chinese()],
        "font.size": TEXT,
        "text.parse_math": False,  # a name may hold any sign
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.labelsize": TEXT,
        "axes.titlesize": TEXT,
        "axes.titlelocation": "left",
        "hatch.linewidth": 0.5,
        "legend.frameon": False,
        "legend.fontsize": SMALL + 0.5,
        "legend.title_fontsize": TEXT,
        "figure.constrained_layout.use": True,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
    }


def arm_marks(arms: Sequence[str], reference: str) -> dict[str, Mark]:
    """Return the mark of every arm: black and dashed for the reference, colours, markers and dashes in turn for the others."""
    marks = {reference: Mark(COLOURS[0], "", (0, (4, 2)))} if reference in arms else {}
    for k, arm in enumerate(arm for arm in arms if arm != reference):
        marks[arm] = Mark(COLOURS[1 + k % 6], _MARKERS[k % len(_MARKERS)], _DASHES[k % len(_DASHES)])  # no yellow: hard to see on white
    return {arm: marks[arm] for arm in arms}


# -- units and labels -----------------------------------------------------------------------------------


def scaled_unit(key: str) -> tuple[str, float]:
    """Return the unit in which an outcome is drawn, and the factor for its values: shares are drawn in %."""
    unit = OUTCOMES[key].unit
    return say("figures.unit", unit), 100.0 if unit.startswith("share") else 1.0


def unit_of_difference(key: str) -> str:
    """Return the unit of a difference of two values of an outcome, as it is drawn."""
    return say("figures.unit_of_difference", OUTCOMES[key].unit)


def label_of(key: str) -> str:
    """Return an outcome's label; the key itself where there is no such outcome."""
    return label(OUTCOMES[key]) if key in OUTCOMES else key


def window(about: Mapping[str, Any]) -> str:
    """Say over which months effects are means."""
    return say("sections.period", about["configuration"])


def _columns(text: str) -> int:
    """Width of a text in letters: a Chinese character is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _atoms(text: str) -> list[str]:
    """Cut a text where a line may end: after a blank, a sign that joins words, or a wide character; never inside a number.

    A wide mark that closes something begins no line.
    """
    atoms = [""]
    for letter, following in zip(text, f"{text} "[1:], strict=True):
        wide = _columns(letter) == 2
        if wide and letter not in NOT_FIRST and atoms[-1] and atoms[-1][-1] not in NOT_LAST:
            atoms.append("")
        atoms[-1] += letter
        if following in NOT_FIRST or letter in NOT_LAST:
            continue
        joins = letter in "_=" or (letter in "-.,:" and not following.isdigit())
        if wide or joins or (letter == " " and following != "%"):
            atoms.append("")
    return [atom for atom in atoms if atom]


def wrapped(text: str, width: int) -> str:
    """Break a text into lines of a largest number of letters; a word longer than a line is broken inside."""
    lines = [""]
    for atom in _atoms(text):
        if lines[-1] and _columns(lines[-1] + atom.rstrip()) > width:
            lines.append("")
        while _columns(lines[-1] + atom.rstrip()) > width and len(atom) > 1:
            lines[-1:] = [atom[:width], ""]
            atom = atom[width:]
        lines[-1] += atom
    return "\n".join(line.rstrip() for line in lines)


def shortened(text: str, width: int) -> str:
    """Cut a text that is wider than so many letters, and show that it was cut."""
    if _columns(text) <= width:
        return text
    while text and _columns(text) >= width:
        text = text[:-1]
    return f"{text}…"


# -- around the axes ------------------------------------------------------------------------------------


def handle(text: str, mark: Mark, line: bool = True) -> Line2D:
    """Return what stands for a mark in a legend."""
    dash = mark.dash if line else "none"
    return Line2D([], [], label=wrapped(text, 30), color=mark.colour, marker=mark.marker, mfc=mark.face, ms=4, ls=dash, lw=1.2)


def cause_patches() -> list[Patch]:
    """Return what stands for the causes of defects in a legend."""
    styles = CAUSE_STYLES.items()
    return [Patch(fc=colour, hatch=hatch, ec="white", label=say(f"figures.causes.{cause}")) for cause, (colour, hatch) in styles]


def legend(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Write a legend above all axes, in as many columns as fit into the figure."""
    if not handles:
        return
    longest = max(_columns(line) for entry in handles for line in str(entry.get_label()).split("\n"))
    fitting = int(figure.get_figwidth() * LETTERS * 0.92 / (longest + 7))
    rows = -(-len(handles) // max(1, fitting))
    figure.legend(handles=list(handles), loc="outside upper center", ncols=-(-len(handles) // rows), title=title, handlelength=2.6)


def name_months(ax: Axes, about: Mapping[str, Any]) -> None:
    """Name the axis of the months, and the months too if month 1 has a place in the calendar (setting `start`)."""
    start, months = about["configuration"].get("start"), about["configuration"]["months"]
    ax.set_xlabel(say("figures.month"))
    if start:
        step = next((step for step in (1, 3, 6, 12) if months <= 4 * step), 12 * -(-months // 48))  # at most four names fit
        ticks = range(1, months + 1, step)
        ax.set_xticks(ticks, [in_calendar(month, start) for month in ticks])


def without_values(ax: Axes) -> None:
    """Say in an empty panel that there is nothing to draw."""
    ax.set_yticks([])
    ax.text(0.5, 0.5, say("figures.no_values"), transform=ax.transAxes, ha="center", va="center", color="0.4", fontsize=TEXT)


def _studies(about: About) -> list[Mapping[str, Any]]:
    return [about] if isinstance(about, Mapping) else list(about)


def _small_print(studies: Sequence[Mapping[str, Any]], marks: str, regions: Sequence[str]) -> str:
    def place(study: Mapping[str, Any]) -> tuple[str, str]:
        configuration = study["configuration"]
        network = configuration["network"]
        if network.get("kind") in ("file", "input_output"):
            return "network", PurePath(network["path"]).name
        return "region", say("things.region", names_of_regions(configuration, "key"), names_of_regions(configuration, "label_zh"))

    def runs(study: Mapping[str, Any]) -> tuple[int, int]:
        configuration = study["configuration"]
        return study.get("replicates", configuration["replicates"]), configuration["seed"]  # more than asked for where a half-width is

    places = [] if regions else list(dict.fromkeys(place(study) for study in studies))
    return say(
        "figures.small_print", studies[0]["id"], len(studies) - 1, places, list(regions), list(dict.fromkeys(map(runs, studies))), marks
    )


def finish(figure: Figure, about: About, marks: str = "", regions: Sequence[str] = ()) -> Figure:
    """Write under a figure which studies it shows (ids, regions, replicates and seeds), and what its marks are.

    Parameters
    ----------
    figure : Figure
    about : dict, or sequence of dict
        The manifest of the study, or those of several.
    marks : str
        What the marks are.
    regions : sequence of str
        Regions that the figure shows, where they are more than the one of the study.
    """
    for ax in figure.axes:  # ticks are made when the figure is drawn, and the style is forgotten by then
        ax.tick_params(which="both", labelsize=SMALL, width=0.6)
    if studies := _studies(about):
        text = wrapped(_small_print(studies, marks, regions), int(figure.get_figwidth() * LETTERS) - 6)
        written = figure.supxlabel(text, fontsize=SMALL, color="0.35", x=0.01, ha="left")
        written.set_label(_small_print(studies, marks, regions))  # as one line, for who writes it in another width
    return figure


def _description(about: About) -> str:
    ids = list(dict.fromkeys(str(study["id"]) for study in _studies(about)))
    return f"{'study' if len(ids) == 1 else 'studies'} {', '.join(ids)}"


def save(figure: Figure, path: Path, about: About, dpi: float = 160) -> None:
    """Write a figure as a PNG whose metadata name the program and the study."""
    drawn, metadata = io.BytesIO(), PngInfo()
    with matplotlib.rc_context(style()):
        figure.savefig(drawn, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    for key, value in (("Software", "Strongchain"), ("Description", _description(about))):
        metadata.add_text(key, value)
    with Image.open(drawn) as picture:  # of 256 colours, a quarter of the bytes
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, format="PNG", pnginfo=metadata, dpi=(dpi, dpi))


#: Settings with which the same figure gives the same bytes: SVG draws letters as outlines, so that no machine lacks one; PDF holds
#: the fonts, as TrueType, and its text can be searched and copied.
_REPEATABLE = {"svg.hashsalt": "strongchain", "svg.fonttype": "path", "pdf.fonttype": 42}


def metadata_of(kind: str, about: About) -> dict[str, Any]:
    """Return what an SVG or a PDF says of itself: the program and the study, and no time, so that its bytes repeat."""
    if kind == "svg":
        return {"Date": None, "Creator": "Strongchain", "Description": _description(about)}
    return {"CreationDate": None, "Creator": "Strongchain", "Producer": None, "Subject": _description(about)}


def repeatable() -> Any:
    """Return the settings of Matplotlib with which vector formats are written."""
    return style() | _REPEATABLE


def save_all(figure: Figure, folder: Path, name: str, about: About) -> list[str]:
    """Write a figure into a folder in every format that its study asks for (`figures.format`); return the names of the files.

    Parameters
    ----------
    figure : Figure
    folder : Path
    name : str
        Name of the files, without the dot and the format.
    about : dict, or sequence of dict
        As for `finish`; of several studies, the formats of the first count, and PNG where it asked for none.
    """
    configuration = next(iter(_studies(about)), {}).get("configuration", {})
    names = []
    for kind in dict.fromkeys(configuration.get("figures", {}).get("format") or ("png",)):
        names.append(f"{name}.{kind}")
        if kind == "png":
            save(figure, folder / names[-1], about)
        else:
            with matplotlib.rc_context(repeatable()):
                figure.savefig(folder / names[-1], format=kind, metadata=metadata_of(kind, about))
    return names
