"""The effects of the three flagship instruments, and the assumptions behind them: ``make docs PAGE=flagships``.

Two studies (`flagship_runs`): the effect against the dose of each instrument, and the effect at the default dose with each of ten
uncertain parameters at both ends of its range. With ``--keep results/runs`` runs are kept, so that an interrupted study can go on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.analysis.verdicts import SIGNIFICANCE, Conclusion, conclusion
from experiments.figures import COLOURS, save, style
from experiments.figures.style import WIDE, finish
from experiments.formatting import fixed, significant, table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.dose_figure import dose_panel
from experiments.pages.evidence.flagship_runs import (
    DOSES,
    OVERRIDES,
    UNCERTAIN,
    FlagshipResults,
    RangeEffect,
    UncertainParameter,
    simulate,
    value_text,
)
from experiments.pages.evidence.mean_effects import bracketed, default_dose, signed, statement
from experiments.reports.findings import estimate
from sim import INSTRUMENTS, Parameters
from sim.data.plausible import plausible_sets
from sim.parameters import declared

__all__ = ["dose_figure", "page", "tornado", "write"]

#: Effects in per cent seen in a reduced prototype of this model: half of firms, months 25-36.
PROTOTYPE = {"cqo": -4.5, "one_stop_stations": -1.2, "strong_chain_loans": -0.5}
#: Published falls of a firm's own defects, in per cent: the fall, its source, and what is said of an effect that is no larger.
PUBLISHED = (
    (10.0, "TQM, a survey: 63 % of firms cut internal defects by less than 10 % in 2.8 years", "no more than most firms reach with TQM"),
    (34.5, "best plants: scrap and rework −34.5 % in 3 years (median)", "more than most firms reach with TQM, less than the best plants"),
    (43.0, "intensive management help in India (Bloom et al. 2013): quality defects −43 %, recalled and not read in the source",
     "more than the best plants, no more than intensive management help"),
)  # fmt: skip
BEYOND_PUBLISHED = "**more than the most intensive help that is published: not credible**"


# -- figures ---------------------------------------------------------------------------------------------


def dose_figure(results: FlagshipResults) -> Figure:
    """Draw the effect of each instrument against its dose, a panel an instrument, on one axis."""
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 2.7))
        panels = drawn.subplots(1, len(results.doses), sharey=True, squeeze=False)[0]
        for k, (axes, (key, doses)) in enumerate(zip(panels, results.doses.items(), strict=True)):
            effects = [results.dose_effect(key, dose) for dose in doses]
            dose_panel(axes, key, doses, effects, COLOURS[1 + k], "os^"[k % 3])
        panels[0].set_ylabel("effect on defects reaching users, %")
        small_print = "dots: upright bars are paired 95 % intervals; dashed line: default dose"
        return finish(drawn, {**results.dose_study.manifest, "id": "flagships"}, small_print)


def _ordered(results: FlagshipResults, key: str) -> list[RangeEffect]:
    """Return the ranges by their influence on one instrument, the largest first; the share of latent defects always leads."""
    return [*results.ranges[:1], *sorted(results.ranges[1:], key=lambda one: -abs(one.difference(key).mean()))]


def tornado(results: FlagshipResults) -> Figure:
    """Draw the effect of each instrument at both ends of each parameter's range, a panel an instrument."""
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 0.9 + len(results.doses) * (0.5 + 0.19 * len(results.ranges))))
        panels = drawn.subplots(len(results.doses), 1, squeeze=False)[:, 0]
        for axes, key in zip(panels, results.doses, strict=True):
            rows, base = _ordered(results, key), results.default.effect(key).mean
            for end, colour, marker, shift in (("low", COLOURS[1], "o", -0.14), ("high", COLOURS[2], "s", 0.14)):
                mean, low, high = np.array([getattr(row, end).effect(key) for row in rows]).T
                y = np.arange(len(rows)) + shift
                axes.barh(y, mean - base, 0.26, base, color=colour, alpha=0.3)
                axes.errorbar(mean, y, xerr=[mean - low, high - mean], color=colour, marker=marker, ms=3.5, lw=0.9, ls="none",
                              label=f"{end} end of the range")  # fmt: skip
            axes.axvline(base, color="0.4", lw=0.8, ls=(0, (2, 2)))
            axes.axvline(0.0, color=COLOURS[0], lw=0.8)
            axes.set_yticks(range(len(rows)), [f"{row.parameter.name}  {_range(row.parameter)}" for row in rows])
            axes.invert_yaxis()
            axes.set_title(f"{key} ({INSTRUMENTS[key].label_zh})")
        panels[-1].set_xlabel("effect on defects reaching users, % of the level without programme in the same world")
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        about = {**results.dose_study.manifest, "id": "flagships", "replicates": len(results.default.changes)}
        return finish(drawn, about, "marks with paired 95 % intervals; dashed line: at all defaults")


# -- the page ----------------------------------------------------------------------------------------------


def _range(parameter: UncertainParameter) -> str:
    return f"{value_text(parameter.low)} … {value_text(parameter.high)}"


def _cost(results: FlagshipResults, key: str, dose: float, payer: str) -> pd.Series:
    costs = results.dose_study.costs
    return costs[(costs["arm"] == f"{key} {dose:g}") & (costs["payer"] == payer)].iloc[0]


def _ratio(cost: pd.Series) -> str:
    """Cost per avoided defect, where it is defined."""
    return bracketed(estimate(cost, "ratio"), significant) if cost["defined"] else "not defined"


def _dose_section(results: FlagshipResults, key: str) -> list[str]:
    """The table of one instrument, and what it shows."""
    rows = []
    for dose in results.doses[key]:
        effect = results.dose_effect(key, dose)
        costs = [_cost(results, key, dose, payer) for payer in ("government", "society")]
        paid = [bracketed(estimate(cost, "cost").times(1e-6), significant) for cost in costs]
        name = f"{dose:g} (default)" if dose == default_dose(key) else f"{dose:g}"
        rows.append([name, signed(effect), statement(conclusion(*effect)), *paid, *map(_ratio, costs)])
    head = [f"`{INSTRUMENTS[key].dose}`", "effect, %", "conclusion", "government, million CNY", "society, million CNY",
            "cost per avoided defect: government", "society"]  # fmt: skip
    remarks = f"{_course(results, key)} {_society(results, key)}"
    return [f"### `{key}` ({INSTRUMENTS[key].label_zh})", "", *table(head, rows), "", remarks, ""]


def _course(results: FlagshipResults, key: str) -> str:
    """Return how the effect goes on from the default dose to the largest."""
    default, largest = default_dose(key), max(results.doses[key])
    effects = [results.dose_effect(key, dose) for dose in (default, largest)]
    times = largest / default
    if not all(conclusion(*effect).is_shown for effect in effects):
        return f"From the default dose to {times:g} times the default no shape is shown: an interval holds 0."
    ratio = effects[1].mean / effects[0].mean
    proportion = ratio / times
    if abs(proportion - 1.0) < 0.1:
        course = "in proportion, within a tenth"
    else:
        course = "with diminishing returns" if proportion < 1.0 else "more than in proportion"
    return f"{times:g} times the default dose has {fixed(ratio, 2)} times the effect: {course}."


def _society(results: FlagshipResults, key: str) -> str:
    cost = conclusion(*estimate(_cost(results, key, default_dose(key), "society"), "cost"))
    return statement(
        cost,
        lower="At the default dose firms and government together save money.",
        higher="At the default dose firms and government together pay more for quality than without it.",
        not_shown="It is not shown whether firms and government together pay or save at the default dose: the interval holds 0.",
        no_change="At the default dose firms and government together pay exactly as much as without it.",
    )


def _against_prototype(results: FlagshipResults, key: str) -> str:
    """Return how the effect of the default dose compares with that of the prototype."""
    effect = results.dose_effect(key, default_dose(key))
    if conclusion(*effect) != Conclusion.LOWER:
        return statement(conclusion(*effect))
    ratio = effect.mean / PROTOTYPE[key]
    return "**ten times or more: suspicious**" if ratio >= 10.0 else "of the same order" if ratio >= 0.1 else "a tenth or less"


def _against_published(results: FlagshipResults, key: str) -> str:
    """Return how the effect of the largest dose on firms' own defects compares with what is published."""
    own = results.dose_effect(key, max(results.doses[key]), "own_dpu")
    if conclusion(*own) == Conclusion.LOWER:
        return next((remark for fall, _, remark in PUBLISHED if -own.mean <= fall), BEYOND_PUBLISHED)
    return "own defects rise" if conclusion(*own) == Conclusion.HIGHER else "nothing to compare"


def _sizes(results: FlagshipResults) -> list[str]:
    """Compare sizes of effects with those of the prototype and of the literature."""
    rows = []
    for key, doses in results.doses.items():
        effect, own = results.dose_effect(key, default_dose(key)), results.dose_effect(key, max(doses), "own_dpu")
        prototype = [fixed(PROTOTYPE[key], 1, sign=True), _against_prototype(results, key)]
        rows.append([f"`{key}`", signed(effect), *prototype, f"{max(doses):g}", signed(own), _against_published(results, key)])
    head = [
        "",
        "field DPU, default dose, %",
        "prototype, %",
        "against the prototype",
        "largest dose",
        "own defects there, %",
        "against what is published",
    ]
    officers = 100.0 * results.dose_study.effect("nothing", "cqo_share")["level"]
    return [
        *table(head, rows),
        "",
        "The prototype was a reduced version of this model, read in months 25-36. Published figures are of firms that were helped, and of "
        "their own defects, so the nearest figures to compare with are those of the largest dose and of all firms' own defects:",
        "",
        *(f"- {source};" for _, source, _ in PUBLISHED),
        "- for a chief quality officer, a station or a strong-chain loan no causal estimate was found. A size that is no larger than what "
        "is published for other help is not therefore right: it is only not shown to be wrong.",
        "",
        f"Without programme {officers:.0f} % of firms have a chief quality officer by their own decision; the instrument changes the "
        "others.",
    ]


def _sensitivity(results: FlagshipResults) -> list[str]:
    """Effects at both ends of each range."""
    keys = list(results.doses)
    rows = [["all defaults", "", fixed(results.default.level, 4), *(signed(results.default.effect(key)) for key in keys)]]
    for one in results.ranges:
        for end, world in ((one.parameter.low, one.low), (one.parameter.high, one.high)):
            effects = (signed(world.effect(key)) for key in keys)
            rows.append([f"`{one.parameter.name}`", value_text(end), fixed(world.level, 4), *effects])
    return table(["parameter", "value", "field DPU without programme", *(f"`{key}`, %" for key in keys)], rows)


def _assumptions(results: FlagshipResults, key: str) -> str:
    """Return on which parameters the effect of an instrument depends, and where no effect or harm is shown."""
    base = results.default.effect(key)
    influential = [one for one in results.ranges if results.p[one.parameter.name, key] < SIGNIFICANCE]
    influential.sort(key=lambda one: -abs(one.difference(key).mean()))
    named = []
    for one in influential:
        low, high = (fixed(world.effect(key).mean, 2, sign=True) for world in (one.low, one.high))
        named.append(f"`{one.parameter.name}` ({low} at {value_text(one.parameter.low)}, {high} at {value_text(one.parameter.high)})")
    sentences = [f"It is shown to change with {', '.join(named)}." if named else "It is not shown to change with any of them."]
    for one in influential:
        if not np.any(one.parameter.low) and conclusion(*base) == Conclusion.LOWER:
            left = 100.0 * one.low.effect(key).mean / base.mean
            sentences.append(
                f"Without `{one.parameter.name}` (at 0) {left:.0f} % of the effect is left: {100.0 - left:.0f} % depend on an assumption "
                "without a source."
            )
    ends = {
        f"`{one.parameter.name}` {value_text(end)}": conclusion(*world.effect(key))
        for one in results.ranges
        for end, world in ((one.parameter.low, one.low), (one.parameter.high, one.high))
    }
    for concluded, text in (
        (Conclusion.HIGHER, "**Harmful**"),
        (Conclusion.NOT_SHOWN, "No effect shown (the interval holds 0)"),
        (Conclusion.NO_CHANGE, "Exactly no change"),
    ):
        if names := [name for name, at_end in ends.items() if at_end == concluded]:
            sentences.append(f"{text} at {f'all {len(names)} ends' if len(names) == len(ends) else ', '.join(names)}.")
    return f"- **`{key}`**, {signed(base)} % at all defaults. {' '.join(sentences)}"


def _summary(results: FlagshipResults) -> list[str]:
    """Return one line on each instrument at its default dose."""
    lines = []
    for key in results.doses:
        effect, dose = results.dose_effect(key, default_dose(key)), default_dose(key)
        strongest = max(results.ranges, key=lambda one: abs(one.difference(key).mean())).parameter.name
        depends = (
            f"of the ten parameters it depends most on `{strongest}`"
            if results.p[strongest, key] < SIGNIFICANCE
            else "none of the ten parameters is shown to change it"
        )
        lines.append(f"- `{key}`, dose {dose:g}: {signed(effect)} %, {statement(conclusion(*effect))}; {depends}.")
    return lines


def page(results: FlagshipResults, overrides: Sequence[str] = OVERRIDES) -> str:
    """Return the page."""
    sets = len(plausible_sets()) - 1
    calibrated = f"the mean of {sets} sets with which a calibration shows all known patterns together" if sets else "not calibrated"
    settings = " ".join(override for override in overrides if not override.startswith(("parallel", "by")))
    lines = [
        "# What the three flagship instruments do",
        "",
        f"Written by `make docs PAGE=flagships`: {settings}; the parameters are {calibrated}. Effects are on defects per unit that "
        "reach users (field DPU, mean of the last 12 months), in % of the level without programme on the same random numbers, with paired "
        "95 % intervals, not corrected for multiple comparisons. Below 0 is better.",
        "",
        *_summary(results),
        "",
        "## Dose and response",
        "",
        f"{results.dose_study.runs['replicate'].nunique()} replicates of every dose, all on the same random numbers. Money is summed over "
        "the whole run, against no programme; society is government and firms' cost of quality together. A cost per avoided defect is CNY "
        "paid per CNY of defective sales that did not reach users, with Fieller's interval. It is not defined where it is not shown that "
        "defects were avoided, and it is below 0 where money is saved.",
        "",
        "![Effect against dose](flagships_doses.png)",
        "",
        *(line for key in results.doses for line in _dose_section(results, key)),
        "## Are sizes of this kind credible?",
        "",
        *_sizes(results),
        "",
        "## On which assumptions they depend",
        "",
        _rule(results),
        "",
        "![Effects at the ends of ranges](flagships_sensitivity.png)",
        "",
        *table(
            ["parameter", "from … to", "what it governs"],
            [[f"`{p.name}`", _range(p), p.governs] for p in (one.parameter for one in results.ranges)],
        ),
        "",
        *(_assumptions(results, key) for key in results.doses),
        "",
        "Shown to change: the paired difference between both ends has a p-value below 5 % after Holm's correction over all parameters and "
        "instruments.",
        "",
        *_sensitivity(results),
    ]
    return "\n".join(lines) + "\n"


def _rule(results: FlagshipResults) -> str:
    """Return how parameters and their ranges were chosen."""
    without_source = sum(f.metadata["confidence"] == "N" for f in declared(Parameters))
    return (
        f"{without_source} parameters of the world are marked N: looked for, and no source found. {len(results.ranges)} of them are "
        "changed here, one at a time: those through which the instruments act (how many defects and problems there are and how much they "
        "matter, what the officer, the station and the loan add, how practice spreads and lasts). A range is the one that the calibration "
        "searches; for a parameter that is not searched it goes from half of the default to twice the default, within the legal range. "
        "Each end is a world of its own, compared with no programme in that same world: "
        f"{len(results.default.changes)} replicates, default doses. A world at an end may not show the known patterns any more, and the "
        "joint effect of two parameters is not studied."
    )


def write(
    folder: Path,
    keep: Path | None = None,
    overrides: Sequence[str] = OVERRIDES,
    replicates: tuple[int, int] = (20, 10),
    doses: Mapping[str, Sequence[float]] = DOSES,
    uncertain: Sequence[UncertainParameter] = UNCERTAIN,
) -> FlagshipResults:
    """Simulate, and write the page and its figures into a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        results = simulate(overrides, replicates, keep or Path(temporary), doses, uncertain)
    about = {**results.dose_study.manifest, "id": "flagships"}
    save(dose_figure(results), folder / "flagships_doses.png", about)
    save(tornado(results), folder / "flagships_sensitivity.png", about)
    (folder / "flagships.md").write_text(page(results, overrides), encoding="utf-8")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m experiments.pages flagships", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder in which runs are kept, and looked for before they are simulated")
    write(EVIDENCE, parser.parse_args().keep)
