"""Figures: units on every axis, no small letters, the width of a column or of two, the study's id, and hard cases."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text
from PIL import Image

from agents.streams import replicate_keys
from experiments import Comparison, compare, figures
from experiments.analysis.flows import flows_of
from experiments.analysis.verdicts import conclusions
from experiments.calibration.patterns import PATTERNS
from experiments.catalogue.settings import settings
from experiments.configuration.settings import SettingsError, compose_settings, read_settings
from experiments.figures.network import STUB
from experiments.figures.patterns import influence_figure, pattern_figure
from experiments.figures.programmes import aftermath_figure, exchange_figure, second_reference_figure, spending_figure
from experiments.figures.style import COLOURS, SINGLE, SMALL, WIDE, arm_marks, wrapped
from experiments.languages.wording import use_language
from experiments.pages.reference import gallery
from experiments.runs.measure import MapPicture
from experiments.runs.provenance import manifest
from sim import SupplyNetwork
from sim.outcomes import OUTCOMES
from tests.support.marked_language import marked_language, outside
from tests.support.places import REFERENCE
from tests.support.worlds import network, parameters, random_network, region
from tests.support.worlds import world as tiny

pytestmark = pytest.mark.study

STUDY = ("region=sample", "scale=0.3", "replicates=3", "months=6", "window=3", "burn_in=6", "parallel=serial")
HEADLINES = ("field_dpu", "nonconformity", "open_problems", "copq", "quality_cost")
ARMS = (
    "nothing", "cqo", "one_stop_stations", "strong_chain_loans", "all", "one_stop_stations_and_loans_no1",
    "质量强链贷款与首席质量官联合推进政策组合方案", "extended warranty for suppliers",
    "a", "b2", "chain 36", "cqo_and_stations_in_small_firms",
)  # fmt: skip
#: Every figure of a table.
DRAW: dict[Callable[..., Figure], str] = {entry.draw: entry.table for entry in gallery.ENTRIES if entry.table not in {"", "maps"}}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A small study with a placebo: an arm that is the reference under another name."""
    return compare(*STUDY, "study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]'], placebo: ['instruments=[]'], all: []}")


@cache
def stored_manifest(replicates: int) -> dict:
    resolved = read_settings(compose_settings(["region=sample", f"replicates={replicates}"])).resolved
    return {**manifest(resolved, [], replicate_keys(1, replicates)), "reference": "nothing", "id": "ab12cd34ef56"}


def about(replicates: int = 6) -> dict:
    """The manifest of a study, to change at will."""
    return deepcopy(stored_manifest(replicates))


def picture(built: SupplyNetwork, **other) -> MapPicture:
    return MapPicture.of(tiny(built, region=region(built.n_firms), burn_in=1, **other))


def drawn(figure: Figure) -> Figure:
    """Draw a figure for good: what cannot be laid out, or warns, fails here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    return figure


def written(figure: Figure) -> list[Text]:
    """All text that is seen."""
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def labels(figure: Figure) -> set[str]:
    """Labels of all axes that have values on them, without line breaks."""
    return {" ".join(label.split()) for ax in figure.axes for label in (ax.get_xlabel(), ax.get_ylabel()) if label}


# -- tables made by hand ---------------------------------------------------------------------------------


def interval(stem: str, mean: np.ndarray, width: float, kind: str) -> dict[str, np.ndarray]:
    """Columns of a value and its interval, which one replicate has not; nor is any value finite of "nothing known"."""
    mean = np.asarray(mean, dtype=float) * (np.nan if kind == "nothing known" else 1.0)
    half = np.where(mean == 0.0, 0.0, width) * (1.0 if kind == "intervals" else np.nan)
    return {stem: mean, f"{stem}_low": mean - half, f"{stem}_high": mean + half}


def table(name: str, arms: int = 5, kind: str = "intervals") -> pd.DataFrame:
    """A table of a study with so many arms."""
    rng, names = np.random.default_rng(arms), ARMS[:arms]
    others = [(arm, key) for arm in names[1:] for key in HEADLINES]
    if name == "effects":
        groups = [("total", "total"), *(("tier", t) for t in ("0", "1", "2", "none")), *(("size", s) for s in ("large", "small", "medium"))]
        rows = pd.DataFrame([(a, key, *g) for a in names for g in groups for key in HEADLINES], columns=["arm", "outcome", "by", "group"])
        share = np.where(rows["arm"] == "nothing", 0.0, rng.normal(-0.1, 0.1, len(rows)))
        values = {**interval("effect", share, 0.04, kind), **interval("effect_share", share, 0.04, kind)}
        return rows.assign(**values, conclusion=conclusions(values["effect"], values["effect_low"], values["effect_high"]))
    if name == "pairs":
        pairs = [(b, a, key, OUTCOMES[key].better) for a, b in combinations(names, 2) for key in HEADLINES]
        rows = pd.DataFrame(pairs, columns=["arm", "against", "outcome", "better"])
        shift = rng.normal(0.0, 0.05, len(rows))
        values = {**interval("effect", shift, 0.02, kind), **interval("effect_share", shift, 0.02, kind)}
        return rows.assign(**values, conclusion=conclusions(values["effect"], values["effect_low"], values["effect_high"]))
    if name == "series":
        rows = pd.DataFrame([(arm, key, m) for arm in names for key in OUTCOMES for m in range(1, 13)], columns=["arm", "outcome", "month"])
        shift = -0.01 * rows["month"] * rows["arm"].map(names.index)
        return rows.assign(**interval("level", 2.0 + shift, 0.1, kind), **interval("effect", shift, 0.02, kind))
    if name == "origins":
        rows = [(arm, t, c, 1e6 / (1 + k)) for arm in names for k, t in enumerate("01234") for c in ("common", "special", "interface")]
        return pd.DataFrame(rows, columns=["arm", "tier", "cause", "loss"])
    if name == "books":
        flows = [(f"purpose {k} of a payment", "leaders", "households") for k in range(13)]
        rows = pd.DataFrame([(arm, *flow) for arm in names for flow in flows], columns=["arm", "purpose", "payer", "payee"])
        shift = np.where(rows["arm"] == "nothing", 0.0, rng.normal(0.0, 1e6, len(rows)))
        return rows.assign(**interval("effect", shift, 2e5, kind))
    if name == "costs":
        rows = pd.DataFrame([(arm, who) for arm in names[1:] for who in ("government", "firms", "society")], columns=["arm", "payer"])
        sound = (rows["arm"] != "one_stop_stations") & (kind == "intervals")
        ratio = interval("ratio", np.where(sound, rng.normal(1.0, 1.0, len(rows)), np.nan), 0.5, "intervals")
        return rows.assign(**ratio, **interval("avoided", np.full(len(rows), 4e5), 1e5, kind), defined=sound)
    rows = pd.DataFrame(others, columns=["arm", "outcome"])
    if name == "enough":
        share = np.where(kind == "intervals", 10 ** rng.uniform(-3, -1, len(rows)), np.nan)
        return rows.assign(share=share, wanted=0.02, needed=np.ceil(6 * (share / 0.02) ** 2), needed_to_show=np.inf, replicates=6)
    assert name == "luck"
    return rows.assign(**interval("ratio", 10 ** rng.uniform(0.5, 3, len(rows)), 1.0, kind))


# -- what every figure owes its reader -------------------------------------------------------------------


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize(
    ("arms", "kind"),
    [
        (1, "intervals"),
        pytest.param(2, "intervals", marks=pytest.mark.full),
        pytest.param(5, "intervals", marks=pytest.mark.full),
        (12, "intervals"),
        (5, "one"),
        (5, "nothing known"),
    ],
)
def test_a_figure_is_fit_to_print(draw, arms, kind):
    """Whatever the number of arms, and with no interval or nothing known: readable, within the picture, and of a known study."""
    figure = drawn(draw(table(DRAW[draw], arms, kind), about(1 if kind == "one" else 6)))
    assert figure.get_figwidth() in {SINGLE, WIDE} == {3.4, 7.0}
    assert min(text.get_fontsize() for text in written(figure)) >= SMALL == 6.5
    assert not any("$" in text.get_text() for text in written(figure))  # powers in formulas have tiny letters
    small = " ".join(figure.get_supxlabel().split())
    assert small.startswith("Strongchain ab12cd34ef56 · region sample · ")
    assert ("1 replicate, seed 1" if kind == "one" else "6 replicates, seed 1") in small
    box = figure.get_tightbbox()  # inches
    assert min(box.x0, box.y0) >= -0.01 and box.x1 <= figure.get_figwidth() + 0.01 and box.y1 <= figure.get_figheight() + 0.01


UNITS = {
    figures.effects_figure: {"paired effect, % of 'nothing' (mean of the last 12 months)"},
    figures.gains_figure: {"paired effect on defects reaching users, % of the same firms in 'nothing' (mean of the last 12 months)"},
    figures.pairs_figure: {"difference in defects reaching users, defects/unit; right: in % of the other arm"},
    figures.origins_figure: {"field loss, million CNY/month"},
    figures.books_figure: {"change of the payment against 'nothing', million CNY/month (mean of the last 12 months)"},
    figures.costs_figure: {"cost, CNY per CNY of defective sales avoided (below 0: saves money)"},
    figures.enough_figure: {"half-width of the effect’s 95 % interval, % of the reference’s level"},
    figures.luck_figure: {"variance with independent seeds / with common random numbers (ratio)"},
    figures.queues_figure: {"month", "cases/month", "cases", "months"},
    figures.time_paths: {
        "month", "defects/unit", "%", "problems/firm", "% of sales", "difference, defects/unit", "difference, percentage points",
        "difference, problems/firm", "difference, percentage points of sales",
    },
}  # fmt: skip


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__name__)
def test_axes_name_their_units(draw):
    figure = drawn(draw(table(DRAW[draw]), about()))
    assert labels(figure) == UNITS[draw]


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__name__)
def test_a_figure_leaves_no_state_behind(draw):
    import matplotlib
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    draw(table(DRAW[draw]), about())
    assert dict(matplotlib.rcParams) == before and not plt.get_fignums()


def test_a_saved_figure_names_its_study(tmp_path):
    figure = figures.effects_figure(table("effects"), about())
    figures.save(figure, tmp_path / "one.png", about())
    figures.save(figure, tmp_path / "two.png", [about(), {**about(), "id": "other"}, about()])
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert one.info["Software"] == two.info["Software"] == "Strongchain"
        assert one.info["Description"] == "study ab12cd34ef56"
        assert two.info["Description"] == "studies ab12cd34ef56, other"
        assert one.width / one.info["dpi"][0] == pytest.approx(SINGLE, rel=1e-3)
        assert one.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_figure_is_written_in_every_format_that_is_asked_for_and_its_bytes_repeat(tmp_path):
    study = about()
    study["configuration"]["figures"]["format"] = ["png", "svg", "pdf"]
    effects = table("effects", 3).replace({"arm": {"cqo": "首席质量官与一站式服务站联合方案"}})
    for name in ("one", "two"):
        written_ = figures.save_all(figures.effects_figure(effects, study), tmp_path, name, study)
        assert written_ == [f"{name}.png", f"{name}.svg", f"{name}.pdf"]
    for kind in ("png", "svg", "pdf"):
        one = (tmp_path / f"one.{kind}").read_bytes()
        assert one == (tmp_path / f"two.{kind}").read_bytes() and b"ab12cd34ef56" in one
    svg, pdf = (tmp_path / "one.svg").read_text(encoding="utf-8"), (tmp_path / "one.pdf").read_bytes()
    assert "<text" not in svg and 'href="http' not in svg and "<dc:date>" not in svg
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf and b"/CreationDate" not in pdf and b"NotoSansSC" in pdf.replace(b"-", b"")


def test_formats_change_no_study_and_a_wrong_one_is_refused():
    several, one = (compose_settings([*STUDY, f"figures.format=[{kinds}]"]) for kinds in ("svg,pdf", "png"))
    ids = {manifest(read_settings(each).resolved, [], replicate_keys(1, 3))["id"] for each in (several, one)}
    assert len(ids) == 1 and read_settings(several).resolved["figures"]["format"] == ["svg", "pdf"]
    with pytest.raises(SettingsError, match=r"figures\.format"):
        read_settings(compose_settings([*STUDY, "figures.format=[gif]"]))


def test_settings_of_matplotlib_in_the_current_folder_draw_nothing(tmp_path, comparison):
    """A `matplotlibrc` there may be anybody's, and may call LaTeX."""
    draw = partial(figures.effects_figure, comparison.effects, about())
    figures.save(draw(), tmp_path / "plain.png", about())
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9.0, "savefig.facecolor": "red"}):
        figures.save(draw(), tmp_path / "foreign.png", about())
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "foreign.png").read_bytes()


def test_arms_can_be_distinguished_without_colours():
    marks = arm_marks(ARMS, "cqo")
    assert list(marks) == list(ARMS) and marks["cqo"].colour == COLOURS[0] == "#000000"
    assert len({(mark.marker, str(mark.dash)) for mark in marks.values()}) == len(ARMS)
    assert len({(mark.marker, mark.colour) for mark in marks.values()}) == len(ARMS)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one_stop_stations_and_loans", 12, ["one_stop_", "stations_", "and_loans"]),
        ("质量强链贷款", 6, ["质量强", "链贷款"]),
        ("强链贷，链主", 6, ["强链", "贷，链", "主"]),
        ("it costs 1,234.5 CNY", 11, ["it costs", "1,234.5 CNY"]),
        ("at 95 % of it", 5, ["at", "95 %", "of it"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 5, [""]),
    ],
)
def test_a_text_is_broken_between_words(text, width, lines):
    assert wrapped(text, width).split("\n") == lines


# -- what single figures show ----------------------------------------------------------------------------


def values(figure: Figure) -> list[float]:
    """Values of all marks in rows."""
    return [line.get_xdata()[0] for ax in figure.axes for line in ax.get_lines() if len(line.get_xdata()) == 1 and line.get_marker() != "|"]


def test_effects_are_shown_in_per_cent_of_the_reference(comparison):
    figure = drawn(figures.effects_figure(comparison.effects, comparison.manifest, ["open_problems"]))
    rows = comparison.effects.query("by == 'total' and outcome == 'open_problems' and arm != 'nothing'")
    np.testing.assert_allclose(values(figure), 100 * rows["effect_share"], rtol=1e-12)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["Open quality problems", "cqo", "placebo", "all"]
    assert "0.0 %" in {text.get_text() for text in figure.axes[0].texts}


def test_groups_in_which_an_outcome_is_not_defined_are_left_out(comparison):
    shown = [t.get_text() for t in figures.gains_figure(comparison.effects, comparison.manifest).axes[0].get_yticklabels()]
    assert "chain leaders" in shown and "tier 1" not in shown
    every = figures.gains_figure(comparison.effects, comparison.manifest, "nonconformity")
    shown = [t.get_text() for ax in every.axes for t in ax.get_yticklabels()]
    assert {"chain leaders", "tier 1", "small firms", "medium firms", "large firms"} <= set(shown)
    assert [name for name in shown if name.endswith(" firms")] == ["small firms", "medium firms", "large firms"]


def test_of_many_chains_those_with_the_largest_effects_are_drawn(comparison):
    some = comparison.effects.query("by == 'size' and group == 'small' and outcome == 'nonconformity'")
    chains = [some.assign(by="chain", group=f"Chain {k}", effect_share=0.01 * k) for k in range(1, 21)]
    fifths = [some.assign(by="quantile", group=str(k)) for k in range(1, 6)]
    figure = figures.gains_figure(pd.concat([*chains, *fifths]), comparison.manifest, "nonconformity")
    shown = [" ".join(t.get_text().split()) for ax in figure.axes for t in ax.get_yticklabels()]
    assert [name for name in shown if name.startswith("Chain")] == [f"Chain {k}" for k in range(13, 21)]
    assert shown[0] == "fifth with the fewest defects" and "fifth with the most defects" in shown


@pytest.mark.parametrize(
    ("conclusion", "better", "meaning"),
    [
        ("lower", "lower", "better"),
        ("higher", "lower", "worse"),
        ("higher", "higher", "better"),
        ("lower", "", "different"),
        ("not shown", "lower", "not shown to differ from 0"),
        ("no change", "higher", "not shown to differ from 0"),
        ("unknown", "lower", "not shown to differ from 0"),
    ],
)
def test_the_mark_of_a_difference_follows_from_its_conclusion(conclusion, better, meaning):
    ends = {f"{stem}{end}": 0.1 for stem in ("effect", "effect_share") for end in ("", "_low", "_high")}
    row = {"arm": "a", "against": "b", "outcome": "field_dpu", "better": better, **ends, "conclusion": conclusion}
    for figure in (figures.pairs_figure(pd.DataFrame([row]), about()), second_reference_figure(pd.DataFrame([row]), about(), "b")):
        assert [text.get_text() for text in drawn(figure).legends[0].get_texts()] == [meaning]


@pytest.mark.parametrize(
    ("correction", "outcome", "named"), [("none", "field_dpu", False), ("holm", "field_dpu", True), ("holm", "exits", False)]
)
def test_the_small_print_names_the_adjusted_p_value_where_there_is_one(correction, outcome, named):
    study = about()
    study["configuration"]["study"]["correction"] = correction
    pairs = table("pairs").replace({"outcome": {"field_dpu": outcome}})
    assert ("adjusted p-value" in " ".join(figures.pairs_figure(pairs, study, outcome).get_supxlabel().split())) == named


@pytest.mark.parametrize(("conclusion", "filled"), [("lower", True), ("higher", True), ("not shown", False), ("unknown", False)])
def test_a_mark_is_filled_if_its_effect_is_shown(conclusion, filled):
    for draw in (figures.effects_figure, figures.gains_figure):
        effects = table("effects", 2).assign(conclusion=conclusion)
        marks = [line for line in draw(effects, about()).axes[0].get_lines() if len(line.get_xdata()) == 1]
        assert marks and all((line.get_markerfacecolor() == line.get_color()) == filled for line in marks)


def test_the_largest_payments_are_shown_in_million_cny():
    books = table("books", 3)
    figure = drawn(figures.books_figure(books, about()))
    of_arm = books[books["arm"] == "cqo"].sort_values("effect", key=np.abs, ascending=False)
    shown = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert shown[0] == "cqo" and shown[1] == f"leaders → households: {of_arm['purpose'].iloc[0]}" and shown[11] == "one_stop_stations"
    np.testing.assert_allclose(values(figure)[:10], of_arm["effect"].iloc[:10] / 1e6, rtol=1e-12)


def test_a_cost_that_is_not_defined_says_so():
    costs = table("costs", 4)
    costs.loc[costs["arm"] == "cqo", ["defined", "avoided_high"]] = [False, -1e5]
    texts = [text.get_text() for text in drawn(figures.costs_figure(costs, about())).axes[0].texts]
    assert texts.count("not defined") == 3 and texts.count("not defined: more defects, not fewer") == 3
    assert len(values(figures.costs_figure(costs, about()))) == 3


def test_an_interval_that_dwarfs_all_values_ends_in_an_arrow():
    costs = table("costs", 3)
    costs.loc[0, ["ratio_low", "ratio_high"]] = [-1e4, 1e4]
    ax = drawn(figures.costs_figure(costs, about())).axes[0]
    assert ax.get_xlim()[1] < 100.0
    assert {"<", ">"} <= {line.get_marker() for line in ax.get_lines()}


def test_replicates_are_enough_where_the_interval_is_as_narrow_as_wanted():
    rows = pd.DataFrame({"arm": "cqo", "outcome": ["field_dpu", "copq", "nonconformity", "open_problems"], "replicates": 6})
    rows = rows.assign(share=[0.01, 0.03, 0.0, 0.03], wanted=0.02, needed=[2.0, 15.0, 2.0, np.inf])
    figure = drawn(figures.enough_figure(rows, about()))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["enough", "too few", "wanted"]
    assert values(figure) == [1.0, 3.0, 3.0]
    assert [t.get_text() for t in figure.axes[0].texts] == ["needs 15", "0: the effect does not vary", "no number"]
    not_asked = drawn(figures.enough_figure(rows.assign(wanted=np.nan, needed=np.nan, needed_to_show=[3.0, 40.0, np.nan, 6.0]), about()))
    assert "80 %: 40" in {text.get_text() for text in not_asked.axes[0].texts}
    assert "four of five new studies" in " ".join(not_asked.get_supxlabel().split())
    assert [text.get_text() for text in not_asked.legends[0].get_texts()] == ["no half-width asked for"]


def test_a_difference_that_never_varies_is_no_point_on_the_axis():
    rows = table("luck", 2)
    rows.loc[0, ["ratio", "ratio_low", "ratio_high"]] = [np.inf, np.nan, np.nan]
    figure = drawn(figures.luck_figure(rows, about()))
    assert "the difference never varies" in {text.get_text() for text in figure.axes[0].texts}
    assert figure.axes[0].get_xscale() == "log" and len(values(figure)) == len(rows) - 1


def test_a_gain_by_common_random_numbers_is_drawn_with_its_interval_or_not_at_all():
    rows = table("luck", 2)
    rows.loc[0, ["ratio_low", "ratio_high"]] = np.nan
    figure = drawn(figures.luck_figure(rows, about()))
    assert "no interval" in {text.get_text() for text in figure.axes[0].texts} and len(values(figure)) == len(rows) - 1


def test_names_of_many_lines_do_not_overlap_next_to_the_field_loss():
    names = {"cqo": "an arm with a name so long that it is broken into no fewer than five lines, which is a great many of them"}
    figure = figures.origins_figure(table("origins", 5).replace({"arm": names}), about())
    drawn(figure)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert figure.axes[0].get_yticklabels()[1].get_text().count("\n") >= 4
    assert all(above.y0 >= below.y1 for above, below in zip(boxes, boxes[1:], strict=False))


def test_all_parts_of_the_field_loss_are_drawn(comparison):
    figure = drawn(figures.origins_figure(comparison.origins, comparison.manifest))
    width = sum(patch.get_width() for ax in figure.axes for patch in ax.patches)
    assert width == pytest.approx(comparison.origins["loss"].sum() / 1e6, rel=1e-9)


@pytest.mark.parametrize(
    ("outcome", "level", "difference"),
    [
        ("bad_loans", "%/year", "difference, percentage points/year"),
        ("debt", "% of yearly sales", "difference, percentage points of yearly sales"),
        ("recalled", "% of sales to users", "difference, percentage points of sales to users"),
        ("cash", "months of sales", "difference, months of sales"),
        ("exits", "firms/month", "difference, firms/month"),
        ("management", "0-1", "difference, 0-1"),
    ],
)
def test_every_outcome_is_drawn_in_its_unit(comparison, outcome, level, difference):
    figure = drawn(figures.time_paths(comparison.series, comparison.manifest, [outcome]))
    assert [" ".join(ax.get_ylabel().split()) for ax in figure.axes] == [level, difference]
    assert figure.axes[0].get_title(loc="left") == OUTCOMES[outcome].label
    shown = figure.axes[0].get_lines()[0].get_ydata()
    kept = comparison.series.query("arm == 'nothing' and outcome == @outcome")["level"].to_numpy()
    np.testing.assert_allclose(shown, kept * (100.0 if level.startswith("%") else 1.0), rtol=1e-12)


def test_one_arm_alone_has_no_column_of_differences():
    figure = drawn(figures.time_paths(table("series", 1), about()))
    assert figure.get_figwidth() == SINGLE and len(figure.axes) == 4
    assert not any("difference" in ax.get_ylabel() for ax in figure.axes)


@pytest.mark.parametrize(("draw", "column"), [(figures.time_paths, "effect"), (figures.queues_figure, "level")])
def test_of_many_arms_the_main_ones_have_names_at_their_lines_that_do_not_overlap(draw, column):
    figure = drawn(draw(table("series", 12), about()))
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["nothing", "6 other arms"]
    named = [ax for ax in figure.axes if ax.texts]
    assert len(named) == (4 if column == "effect" else 2)
    for ax in named:
        assert len(ax.texts) == 5 and "all" in {text.get_text() for text in ax.texts}
        assert not any(a.overlaps(b) for a, b in combinations([Text.get_window_extent(text) for text in ax.texts], 2))
    colours = {line.get_color() for line in figure.axes[0].get_lines()}
    assert len(colours) == 7


def test_no_band_goes_beyond_what_an_outcome_can_be():
    series = table("series", 3).assign(level=0.5, level_low=-3.0, level_high=4.0, effect=0.1, effect_low=-9.0, effect_high=9.0)
    figure = drawn(figures.time_paths(series, about(2), ["nonconformity", "field_dpu", "net_margin"]))
    ends = [np.ptp(ax.collections[0].get_datalim(ax.transData).intervaly) for ax in figure.axes]
    assert ends == pytest.approx([100.0, 200.0, 4.0, 18.0, 700.0, 1800.0])
    assert "cut where the outcome can have no value" in " ".join(figure.get_supxlabel().split())
    assert "cut where" not in " ".join(figures.time_paths(table("series", 3), about(), ["field_dpu"]).get_supxlabel().split())
    alone = figures.time_paths(table("series", 3, "one"), about(1), ["field_dpu"])
    assert "one replicate, so there are no intervals" in " ".join(alone.get_supxlabel().split())


def test_every_arm_has_a_line_in_time_paths_and_queues():
    for draw in (figures.time_paths, figures.queues_figure):
        figure = drawn(draw(table("series", 12), about()))
        assert [line.get_label() for line in figure.axes[0].get_lines()] == list(ARMS)


# -- the quality map -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "built",
    [
        random_network(1, firms=8, leaders=2),
        random_network(2, firms=600, leaders=5, chains=3),
        random_network(3, firms=1, leaders=1, chains=1),
        network({("b", "A"): 0.4}, {"A": 1e6, "alone": 1e6}),
        network({("b", "A"): 0.4, ("x", "y"): 0.3, ("y", "x"): 0.3}, {"A": 1e6}),
    ],
    ids=["small", "big", "one firm", "a leader without suppliers", "firms that reach no leader"],
)
def test_a_quality_map_is_drawn(built):
    for draw in (figures.flows_figure, figures.firms_figure):
        figure = drawn(draw(picture(built), about()))
        assert figure.get_figwidth() == WIDE and min(text.get_fontsize() for text in written(figure)) >= SMALL
        assert "ab12cd34ef56" in figure.get_supxlabel()
    texts = [" ".join(text.get_text().split()) for text in figures.flows_figure(picture(built)).axes[0].texts]
    assert any(text.startswith("chain leaders") for text in texts) and any(text.startswith("users") for text in texts)


def test_a_quality_map_of_a_world_in_a_notebook_has_no_small_print():
    of_map = picture(random_network(1, firms=8), parameters=parameters(field_cost=0.0))
    for draw in (figures.flows_figure, figures.firms_figure):
        assert not drawn(draw(of_map)).get_supxlabel()
    assert [text.get_text() for text in figures.flows_figure(of_map).axes[0].texts] == ["no values"]


@pytest.mark.parametrize(
    ("chains", "leaders", "names"),
    [(1, 1, []), (3, 5, []), (20, 20, ["14 other chains"])],
    ids=["one chain", "three", "twenty"],
)
def test_the_flow_is_as_wide_where_it_ends_as_all_that_begins(chains, leaders, names):
    """Widths of what begins, of what reaches users, and of the users: one and the same."""
    of_map = picture(random_network(4, firms=400, leaders=leaders, chains=chains))
    (ax,) = drawn(figures.flows_figure(of_map)).axes
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    begun = sum(bar.get_height() for bar in bars if bar.get_width() == pytest.approx(STUB))
    users = max(bars, key=lambda bar: bar.get_x())
    at_users = [patch for patch in ax.patches if isinstance(patch, PathPatch) and patch.get_path().vertices[:, 0].max() == users.get_x()]
    ends = [np.ptp(patch.get_path().vertices[3:5, 1]) for patch in at_users]
    assert begun == pytest.approx(users.get_height(), rel=1e-9) and sum(ends) == pytest.approx(users.get_height(), rel=1e-9)
    assert {*names, flows_of(of_map, 7).names[0]} <= {text.get_text() for text in ax.texts}


def test_names_of_ten_chinese_characters_stand_beside_each_other():
    """Names of firms and chains are cut before they reach the next column."""
    of_map = picture(random_network(4, firms=60, leaders=3, chains=3))
    long = of_map.table.assign(firm=[f"首席质量官与一站式服务站{k}" for k in range(60)], chain="新能源汽车与智能网联产业链")
    shown = replace(of_map, table=long, names=long["firm"].to_numpy(dtype=str)[np.argsort(np.argsort(-of_map.map.by_firm, kind="stable"))])
    with use_language("zh"):
        figure = figures.firms_figure(shown)
        with matplotlib.rc_context(figures.style()):
            drawn(figure)
            boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        flow = drawn(figures.flows_figure(shown))
    assert len(boxes) == 4 + 4 * figures.FIRMS
    assert not any(a.shrunk(0.98, 0.9).overlaps(b.shrunk(0.98, 0.9)) for a, b in combinations(boxes, 2))
    assert any(text.get_text().startswith("新能源") for text in flow.axes[0].texts)


def test_firms_without_a_leader_are_not_called_a_tier():
    built = network({("b", "A"): 0.4, ("x", "y"): 0.3, ("y", "x"): 0.3}, {"A": 1e6, "y": 1e5})
    texts = [" ".join(text.get_text().split()) for text in figures.flows_figure(picture(built)).axes[0].texts]
    assert not any(text.startswith("tier 2") for text in texts)
    shown = [text.get_text() for text in figures.firms_figure(picture(built)).axes[0].texts]
    assert {"chain leaders", "tier 1"} <= set(shown) and "tier 2" not in shown and "tier -1" not in shown


def test_generated_names_of_firms_and_the_region_are_chinese_in_a_chinese_map():
    built = network({("Firm 00012", "Leader 1"): 0.4}, {"Leader 1": 1e6})
    of_study = about()
    of_study["configuration"]["region"]["label_zh"] = "示例地区"
    with use_language("zh"):
        figure = drawn(figures.firms_figure(picture(built), of_study))
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "企业00012" in texts and "链主1" in texts
    assert "示例地区" in "".join(figure.get_supxlabel().split())


# -- sweeps ----------------------------------------------------------------------------------------------


def points(swept: dict[str, list[str]], effect: float = -0.1, arms: tuple[str, ...] = ("cqo",)) -> pd.DataFrame:
    """Effects of a sweep: one row per point and arm."""
    count = len(next(iter(swept.values())))
    rows = pd.DataFrame({"point": range(count), **swept, "outcome": "field_dpu", "by": "total", "group": "total"})
    means = np.linspace(effect, 2 * effect, count)
    for stem in ("effect", "effect_share"):
        rows = rows.assign(**{stem: means, f"{stem}_low": means - 0.01, f"{stem}_high": means + 0.02})
    rows["conclusion"] = "lower" if effect < 0.0 else "not shown"
    stems = [f"{stem}{end}" for stem in ("effect", "effect_share") for end in ("", "_low", "_high")]
    base = rows.assign(**dict.fromkeys(stems, 0.0), conclusion="no change")
    return pd.concat([base.assign(arm="nothing"), *(rows.assign(arm=arm) for arm in arms)], ignore_index=True)


@pytest.mark.parametrize(
    ("swept", "label"),
    [
        ({"instruments.cqo.reach": ["0", "0.5", "1"]}, "chief quality officers: share of the eligible firms that it reaches"),
        ({"instruments.cqo.targeting": ["random", "worst_first"]}, "chief quality officers: which firms it takes on first"),
    ],
    ids=["numbers", "names"],
)
def test_a_sweep_of_one_setting_is_a_line_with_its_key_and_unit(swept, label):
    figure = drawn(figures.sweep_figure(points(swept), list(swept), [about()]))
    (ax,) = figure.axes
    assert figure.get_figwidth() == SINGLE and min(text.get_fontsize() for text in written(figure)) >= SMALL
    assert " ".join(ax.get_xlabel().split()) == label
    assert " ".join(ax.get_ylabel().split()) == "effect on defects reaching users, defects/unit"
    assert ax.get_title(loc="left") == "cqo"
    assert len(ax.containers) == 1 and not figure.legends


def test_a_sweep_of_two_settings_is_a_heat_map_of_values_in_order():
    swept = {"instruments.cqo.reach": ["1", "0.25", "1", "0.25"], "months": ["24", "24", "6", "6"]}
    figure = drawn(figures.sweep_figure(points(swept), list(swept), [about()], untouched=["loans"], names={"cqo": "officers"}))
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == "officers"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.25", "1"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["6", "24"]
    cells = {(text.get_position()): text.get_text().split("\n")[0] for text in ax.texts}
    assert cells == {(1, 1): "−10.0 % •", (0, 1): "−13.3 % •", (1, 0): "−16.7 % •", (0, 0): "−20.0 % •"}
    low, high = ax.get_ylim()
    assert low < high, "the largest number is at the top"
    assert "no swept setting touches it: loans" in " ".join(figure.get_supxlabel().split())


def test_a_point_without_a_result_is_hatched_in_the_heat_map():
    figure = drawn(figures.sweep_figure(points({"region": ["a", "b", "a"], "seed": ["1", "1", "2"]}), ["region", "seed"]))
    (ax,) = figure.axes
    assert [patch.get_hatch() for patch in ax.patches] == ["////"]
    assert "no result" in {" ".join(text.get_text().split()) for text in ax.texts}


def test_a_sweep_of_three_settings_has_a_panel_for_each_value_of_the_third_up_to_a_limit():
    grid = list(itertools.product(["0", "1"], ["a", "b"], [str(k) for k in range(20)]))
    swept = dict(zip(("scale", "region", "seed"), map(list, zip(*grid, strict=True)), strict=True))
    figure = drawn(figures.sweep_figure(points(swept), list(swept), [about()]))
    assert [ax.get_title(loc="left") for ax in figure.axes] == [f"cqo · seed {k}" for k in range(12)]
    assert "12 of 20 panels are drawn" in " ".join(figure.get_supxlabel().split())


def test_a_heat_map_of_ten_thousand_points_has_colours_and_no_numbers():
    swept = dict(zip(("scale", "seed"), map(list, zip(*itertools.product(map(str, range(100)), repeat=2), strict=True)), strict=True))
    figure = figures.sweep_figure(points(swept), list(swept), [about()])
    (ax,) = figure.axes
    assert not ax.texts and ax.images[0].get_array().shape == (100, 100)
    assert figure.get_figheight() < 6.0 and len(ax.get_xticks()) <= 25


def test_a_sweep_of_many_arms_and_long_names_is_two_columns_wide():
    swept = {"network.path": [f"chains of the north, file {k}.csv" for k in range(6)]}
    figure = drawn(figures.sweep_figure(points(swept, arms=ARMS[1:]), list(swept), [about()]))
    assert figure.get_figwidth() == WIDE and len(figure.axes) == len(ARMS) - 1


def test_the_figure_of_a_sweep_says_which_studies_it_shows():
    overrides = [["seed=1"], ["seed=2", "region=liaoning"], ["seed=2"]]
    studies = [manifest(read_settings(compose_settings([*STUDY, *typed])).resolved, typed, replicate_keys(1, 3)) for typed in overrides]
    figure = drawn(figures.sweep_figure(points({"seed": ["1", "2", "2"]}), ["seed"], studies))
    small = " ".join(figure.get_supxlabel().split())
    assert small.startswith(f"Strongchain {studies[0]['id']} and 2 more · region sample, region liaoning · ")
    assert "3 replicates, seed 1, 3 replicates, seed 2 · bars: 95 %" in small


def test_a_sweep_without_any_effect_is_drawn():
    figure = drawn(figures.sweep_figure(points({"seed": ["1", "2"]}, effect=0.0), ["seed"]))
    low, high = figure.axes[0].get_ylim()
    assert low < 0.0 < high, "an axis around nothing, not of no height"


# -- figures of programmes and of patterns ---------------------------------------------------------------


def spent() -> tuple[pd.DataFrame, pd.DataFrame]:
    """What arms spent of their budget, and what that bought: one each that spent it, cannot, and did not."""
    arms, mean = list(ARMS[1:4]), np.array([0.5, -0.2, 0.1])
    spending = pd.DataFrame({"arm": arms, "instrument": "in all", "share": [1.0, 0.4, 0.9]})
    values = interval("per_yuan", mean, 0.15, "intervals")
    concluded = conclusions(mean, values["per_yuan_low"], values["per_yuan_high"])
    bought = pd.DataFrame({"arm": arms, **values, "defined": [True, True, False], "conclusion": concluded})
    return spending.assign(verdict=["spent", "cannot spend it", "not all spent"]), bought


def after() -> pd.DataFrame:
    """Years around the end of programmes: of an arm with an effect, of one without, and of one whose run ends with them."""
    rows = [(arm, 6, year, 12 * year - 5, 12 * year + 6) for arm in ARMS[1:4] for year in (0, 1, 2)]
    years = pd.DataFrame(rows, columns=["arm", "end", "year", "first_month", "last_month"])
    years = years[(years["arm"] != ARMS[3]) | (years["year"] == 0)]
    mean = -0.1 / (1.0 + years["year"].to_numpy())
    left = interval("left", -10.0 * mean, 0.4, "intervals")
    return years.assign(**interval("effect", mean, 0.02, "intervals"), **left, defined=years["arm"] != ARMS[2])


def cells(regions: tuple[str, ...]) -> pd.DataFrame:
    """Portfolios by region; the last cell is missing."""
    names = [(region, policy) for region in regions for policy in ("jiaxing", "hubei")][:-1]
    mean = np.linspace(-0.2, 0.3, len(names))
    share, money = interval("effect_share", -mean, 0.1, "intervals"), interval("per_yuan", mean, 0.1, "intervals")
    return pd.DataFrame(names, columns=["region", "policy"]).assign(
        **share,
        **money,
        conclusion=conclusions(-mean, share["effect_share_low"], share["effect_share_high"]),
        avoided_conclusion=conclusions(-mean, -money["per_yuan_high"], -money["per_yuan_low"]),
    )


def with_budget() -> dict:
    study = about()
    study["configuration"]["study"]["budget"] = 1e6
    return study


def of_programmes() -> list[Figure]:
    """Every figure of programmes."""
    effects, pairs = table("effects", 4), table("pairs", 4)
    spending, bought = spent()
    regions, many = ("sample", "liaoning"), tuple(f"place{k}" for k in range(7))
    return [
        spending_figure(spending, effects, bought, with_budget()),
        aftermath_figure(after(), table("series", 4), about()),
        second_reference_figure(pairs[pairs["against"] == "nothing"], about(), "nothing"),
        *(
            exchange_figure(cells(keys), about(), {key: key for key in keys}, {"jiaxing": "Jiaxing", "hubei": "Hubei"})
            for keys in (regions, many)
        ),
    ]


def of_patterns() -> list[Figure]:
    """Figures of a calibration: a pattern of three figures, of which one was not observed, and the influence of two parameters."""
    pattern = PATTERNS[2]
    keys = list(pattern.probes)
    observed = pd.DataFrame({"figure": np.repeat(keys[:2], 20), "value": np.random.default_rng(1).normal(9.0, 3.0, 40)})
    influence = pd.DataFrame({"figure": keys, "latent_share": [0.1, 0.5, 0.9], "base_dpu_size[0]": [0.7, 0.2, 0.3]})
    return [pattern_figure(observed, pattern, about()), influence_figure(influence, about())]


def test_figures_of_programmes_and_patterns_are_fit_to_print():
    for figure in (*of_programmes(), *of_patterns()):
        drawn(figure)
        assert min(text.get_fontsize() for text in written(figure)) >= SMALL
        assert "Strongchain ab12cd34ef56" in " ".join(figure.get_supxlabel().split())


def test_a_budget_that_is_not_spent_has_a_colour_of_its_own():
    spending, bought = spent()
    figure = drawn(spending_figure(spending, table("effects", 4), bought, with_budget()))
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["spent", "cannot spend it", "not all spent"]
    assert len({patch.get_facecolor() for patch in figure.axes[0].patches}) == 3
    assert [text.get_text() for text in figure.axes[2].texts] == ["not defined"]


def test_what_is_left_of_an_effect_stands_above_its_panel():
    titles = [" ".join(ax.get_title(loc="left").split()) for ax in drawn(aftermath_figure(after(), table("series", 4), about())).axes]
    assert titles == [
        "cqo left in year 1, 2 after: 50 %, (33 %)",
        "one_stop_stations no effect is shown in the last year",
        "strong_chain_loans the run ends within a year of the programmes",
    ]


def test_a_cell_of_an_exchange_is_grey_unless_its_effect_is_shown():
    one = cells(("sample", "liaoning"))
    figure = drawn(exchange_figure(one, about(), {"sample": "S", "liaoning": "L"}, {"jiaxing": "J", "hubei": "H"}))
    for ax, column in zip(figure.axes, ("avoided_conclusion", "conclusion"), strict=True):
        black = [text.get_color() == "black" for text in ax.texts if text.get_text() != "not defined"]
        assert black == one[column].isin(["lower", "higher"]).tolist() == [True, False, True]
    assert " · regions sample, liaoning · " in " ".join(figure.get_supxlabel().split())


# -- another language ------------------------------------------------------------------------------------

#: What a figure shows that no language names: names that a researcher gave, keys as they are typed, signs for units.
UNNAMED = (
    "seed",
    *(re.escape(name) for name in ARMS[:5]), "ab12cd34ef56", r"other\.csv", "sample", "liaoning", "Jiaxing", "Hubei",
    r"purpose \d+ of a payment", r"place\d", r"instruments\.cqo\.reach", r"months(?: (?:12|24))?", r"parameters\.learning",
    r"parameters\.kappa",
    *PATTERNS[2].probes, r"f\d+", r"chain(?: \d+)?", "A", "b", "x", "y",
)  # fmt: skip


def named(text: str) -> str:
    """Return a text without blanks, line breaks and what no language names."""
    text = re.sub(r"\s", "", text)
    for name in sorted(UNNAMED, key=len, reverse=True):
        text = re.sub(rf"(?<![^\W\d_]){name.replace(' ', '')}(?![^\W\d_])", "", text)
    return text


def with_ticks(figure: Figure) -> Figure:
    """Write the labels of all ticks, as drawing would, but without the time that a layout takes."""
    for ax in figure.axes:
        ax.get_xticklabels()
        ax.get_yticklabels()
    return figure


def every_figure() -> list[Figure]:
    """Every figure of every module, of tables made by hand, in the current language."""
    of_tables = [draw(table(name, 5, kind), about()) for draw, name in DRAW.items() for kind in ("intervals", "nothing known")]
    asked = table("enough", 3).assign(wanted=np.nan, needed_to_show=40.0)
    swept = {"instruments.cqo.reach": ["0", "1", "0", "1"], "months": ["12", "12", "24", "24"]}
    from_file = about()
    from_file["configuration"]["network"] |= {"kind": "file", "path": "folder/other.csv"}
    never = table("luck", 2).assign(ratio=np.inf, ratio_low=np.nan, ratio_high=np.nan)
    without_leader = network({("b", "A"): 0.4, ("x", "y"): 0.3, ("y", "x"): 0.3}, {"A": 1e6})
    of_maps, maps = (figures.flows_figure, figures.firms_figure), [picture(random_network(2, firms=600, leaders=9, chains=9))]
    return [
        *of_tables,
        *of_programmes(),
        *of_patterns(),
        figures.enough_figure(asked, about()),
        figures.luck_figure(never, about()),
        figures.costs_figure(table("costs", 3).assign(defined=False, avoided_high=-1.0), about()),
        figures.sweep_figure(points(swept), list(swept), [from_file, about()]),
        figures.sweep_figure(points(swept | {"seed": ["1", "1", "2", "2"]}), [*swept, "seed"], [about()], [ARMS[2]]),
        *(draw(of_map, about()) for draw in of_maps for of_map in maps),
        *(draw(picture(without_leader), from_file) for draw in of_maps),
    ]


def test_every_word_in_a_figure_comes_from_the_folder_of_a_language(tmp_path):
    """Nothing that a figure says is written in its code: another language can say all of it."""
    with use_language(marked_language(tmp_path / "marked", [one.meaning for one in settings()])):
        shown = {text.get_text() for figure in every_figure() for text in written(with_ticks(figure))}
    assert len(shown) > 300
    assert [text for text in sorted(shown) if re.search(r"[^\W\d_]", named(outside(text)))] == []


# -- the gallery -----------------------------------------------------------------------------------------


def public() -> set[str]:
    """Names of all functions that make a figure."""
    every = {name: getattr(figures, name) for name in figures.__all__}
    return {name for name, draw in every.items() if inspect.isfunction(draw) and "Figure" in str(inspect.signature(draw).return_annotation)}


def test_the_gallery_shows_every_figure():
    assert len(public()) > 10
    assert {entry.name for entry in gallery.ENTRIES} == public()
    assert set(re.findall(r"^`(\w+)\(", gallery.page(), re.MULTILINE)) == public()


def test_the_page_in_the_docs_is_that_of_the_code():
    assert (REFERENCE / "gallery.md").read_text(encoding="utf-8") == gallery.page()


@pytest.mark.parametrize("entry", gallery.ENTRIES, ids=lambda entry: entry.name)
def test_a_picture_of_the_gallery_is_small_and_names_its_study(entry):
    path = REFERENCE / "figures" / f"{entry.name}.png"
    assert path.stat().st_size < 120_000
    with Image.open(path) as shown:
        assert (shown.info["Software"], shown.info["Description"]) == ("Strongchain", "study gallery")
        assert round(shown.width / shown.info["dpi"][0], 2) in {SINGLE, WIDE}
