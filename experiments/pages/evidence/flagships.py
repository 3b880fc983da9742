"""What the three flagship instruments do, and what that rests on: ``make docs PAGE=flagships`` writes docs/evidence/flagships.md.

Two studies (`flagship_runs`): the effect against the dose of each instrument, and the effect at the default dose with each
of ten uncertain parameters at either end of its range. With ``--keep results/runs`` runs are kept, so that it can be interrupted.
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

from experiments.figures import COLOURS, save, style
from experiments.figures.style import WIDE, finish
from experiments.formatting import table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.dose_figure import dose_panel
from experiments.pages.evidence.flagship_runs import DOSES, UNCERTAIN, WORDS, Found, Swing, Uncertain, shown, simulate
from experiments.pages.evidence.mean_effects import VERDICTS, default_dose, verdict, written
from sim import INSTRUMENTS, Parameters
from sim.data.plausible import plausible_sets
from sim.parameters import declared

__all__ = ["dose_figure", "page", "tornado", "write"]

#: Effects in per cent seen in a reduced prototype of this model: half of firms, months 25-36.
PROTOTYPE = {"cqo": -4.5, "one_stop_stations": -1.2, "strong_chain_loans": -0.5}
#: Published falls of a firm's own defects, in per cent, each with what may be said of an effect below it.
PUBLISHED = (
    (10.0, "TQM, a survey: 63 % of firms cut internal defects by less than 10 % in 2.8 years", "no more than most firms reach with TQM"),
    (34.5, "best plants: scrap and rework −34.5 % in 3 years (median)", "more than most firms reach with TQM, less than the best plants"),
    (43.0, "intensive management help in India (Bloom et al. 2013): quality defects −43 %, recalled and not read in the source",
     "more than the best plants, no more than intensive management help"),
)  # fmt: skip
BEYOND = "**more than the most intensive help that is published: not to be believed**"


# -- figures ---------------------------------------------------------------------------------------------


def dose_figure(found: Found) -> Figure:
    """Draw the effect of each instrument against its dose, a panel an instrument, on one axis."""
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 2.7))
        panels = drawn.subplots(1, len(found.given), sharey=True, squeeze=False)[0]
        for k, (axes, (key, given)) in enumerate(zip(panels, found.given.items(), strict=True)):
            effects = [found.dose_effect(key, dose) for dose in given]
            dose_panel(axes, key, given, effects, COLOURS[1 + k], "os^"[k % 3])
        panels[0].set_ylabel("effect on defects reaching users, %")
        what = "dots: upright bars are paired 95 % intervals; dashed line: default dose"
        return finish(drawn, {**found.doses.manifest, "id": "flagships"}, what)


def _ordered(found: Found, key: str) -> list[Swing]:
    """Swings of one instrument: the share of latent defects first, then the largest."""
    return [*found.swings[:1], *sorted(found.swings[1:], key=lambda swing: -abs(swing.apart(key).mean()))]


def tornado(found: Found) -> Figure:
    """Draw the effect of each instrument at both ends of each parameter's range, a panel an instrument."""
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 0.9 + len(found.given) * (0.5 + 0.19 * len(found.swings))))
        panels = drawn.subplots(len(found.given), 1, squeeze=False)[:, 0]
        for axes, key in zip(panels, found.given, strict=True):
            rows = _ordered(found, key)
            for end, colour, marker, shift in (("low", COLOURS[1], "o", -0.14), ("high", COLOURS[2], "s", 0.14)):
                middle, low, high = np.array([getattr(swing, end).effect(key) for swing in rows]).T
                y = np.arange(len(rows)) + shift
                axes.barh(y, middle - found.default.effect(key)[0], 0.26, found.default.effect(key)[0], color=colour, alpha=0.3)
                axes.errorbar(middle, y, xerr=[middle - low, high - middle], color=colour, marker=marker, ms=3.5, lw=0.9, ls="none",
                              label=f"{end} end of the range")  # fmt: skip
            axes.axvline(found.default.effect(key)[0], color="0.4", lw=0.8, ls=(0, (2, 2)))
            axes.axvline(0.0, color=COLOURS[0], lw=0.8)
            axes.set_yticks(range(len(rows)), [f"{swing.of.name}  {_range(swing.of)}" for swing in rows])
            axes.invert_yaxis()
            axes.set_title(f"{key} ({INSTRUMENTS[key].label_zh})")
        panels[-1].set_xlabel("effect on defects reaching users, % of the level without programme in the same world")
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        about = {**found.doses.manifest, "id": "flagships", "replicates": len(found.default.each)}
        return finish(drawn, about, "marks with paired 95 % intervals; dashed line: at all defaults")


# -- the page ----------------------------------------------------------------------------------------------


def _range(of: Uncertain) -> str:
    return f"{shown(of.low)} … {shown(of.high)}"


def _money(row: pd.Series, stem: str, scale: float = 1.0) -> str:
    if stem == "ratio" and not row["defined"]:
        return "not defined"
    middle, low, high = (row[f"{stem}{end}"] / scale for end in ("", "_low", "_high"))
    return "0" if middle == low == high == 0.0 else f"{middle:,.3g} [{low:,.3g}, {high:,.3g}]"


def _cost(found: Found, key: str, dose: float, payer: str) -> pd.Series:
    costs = found.doses.costs
    return costs[(costs["arm"] == f"{key} {dose:g}") & (costs["payer"] == payer)].iloc[0]


def _dose_lines(found: Found, key: str) -> list[str]:
    """The table of one instrument, and what is to be said of it."""
    given, default, body = found.given[key], default_dose(key), []
    for dose in given:
        effect = found.dose_effect(key, dose)
        payers = [_cost(found, key, dose, payer) for payer in ("government", "society")]
        money = [*(_money(row, "cost", 1e6) for row in payers), *(_money(row, "ratio") for row in payers)]
        name = f"{dose:g} (default)" if dose == default else f"{dose:g}"
        body.append([name, written(effect), VERDICTS[verdict(effect)], *money])
    head = [f"`{INSTRUMENTS[key].dose}`", "effect, %", "told", "government, million CNY", "society, million CNY",
            "cost per avoided defect: government", "society"]  # fmt: skip
    return [f"### `{key}` ({INSTRUMENTS[key].label_zh})", "", *table(head, body), "", f"{_shape(found, key)} {_society(found, key)}", ""]


def _shape(found: Found, key: str) -> str:
    """Say how the effect goes on from the default dose to the largest."""
    default, most = default_dose(key), max(found.given[key])
    at, top = found.dose_effect(key, default), found.dose_effect(key, most)
    if "open" in (verdict(at), verdict(top)) or at[0] == 0.0:
        return f"From the default dose to {most / default:g} times as much no shape can be told: an interval holds 0."
    ratio = top[0] / at[0] / (most / default)
    bent = (
        "in proportion, within a tenth"
        if abs(ratio - 1.0) < 0.1
        else "with diminishing returns"
        if ratio < 1.0
        else "more than in proportion"
    )
    return f"{most / default:g} times the default dose does {top[0] / at[0]:.2f} times as much: {bent}."


def _society(found: Found, key: str) -> str:
    row = _cost(found, key, default_dose(key), "society")
    if row["cost_high"] < 0.0:
        return "At the default dose firms and government together save money."
    if row["cost_low"] > 0.0:
        return "At the default dose firms and government together pay more for quality than without it."
    return "Whether firms and government together pay or save at the default dose is not told: the interval holds 0."


def _sizes(found: Found) -> list[str]:
    """Set sizes beside those of the prototype and of the literature."""
    body = []
    for key, given in found.given.items():
        effect = found.dose_effect(key, default_dose(key))
        ratio = effect[0] / PROTOTYPE[key]
        size = "**ten times and more: suspicious**" if ratio >= 10.0 else "of the same order" if ratio >= 0.1 else "a tenth or less"
        size = size if verdict(effect) == "lower" else VERDICTS[verdict(effect)]
        own = found.dose_effect(key, max(given), "own_dpu")
        told = next((says for most, _, says in PUBLISHED if -own[0] <= most), BEYOND)
        told = told if verdict(own) == "lower" else "own defects rise" if verdict(own) == "higher" else "nothing to compare"
        body.append([f"`{key}`", written(effect), f"{PROTOTYPE[key]:+.1f}", size, f"{max(given):g}", written(own), told])
    head = [
        "",
        "field DPU, default dose, %",
        "prototype, %",
        "against the prototype",
        "largest dose",
        "own defects there, %",
        "against what is published",
    ]
    officers = 100.0 * found.doses.effect("nothing", "cqo_share")["level"]
    return [
        *table(head, body),
        "",
        "The prototype was a reduced version of this model, read in months 25-36. Published figures are of firms that were treated, and of "
        "their own defects, so the largest dose and all firms' own defects are the nearest to set beside them:",
        "",
        *(f"- {source};" for _, source, _ in PUBLISHED),
        "- of a chief quality officer, a station or a strong-chain loan no causal estimate was found. A size that is no larger than what "
        "is published for other help is not thereby right: it has only not been shown to be wrong.",
        "",
        f"Without programme {officers:.0f} % of firms have a chief quality officer of their own accord; the instrument changes the others.",
    ]


def _sensitivity(found: Found) -> list[str]:
    """Effects at both ends of each range."""
    keys = list(found.given)
    body = [["all defaults", "", f"{found.default.level:.4f}", *(written(found.default.effect(key)) for key in keys)]]
    for swing in found.swings:
        for value, at in ((swing.of.low, swing.low), (swing.of.high, swing.high)):
            body.append([f"`{swing.of.name}`", shown(value), f"{at.level:.4f}", *(written(at.effect(key)) for key in keys)])
    return table(["parameter", "value", "field DPU without programme", *(f"`{key}`, %" for key in keys)], body)


def _rests(found: Found, key: str) -> list[str]:
    """Say on which parameters the effect of an instrument rests, and where it is nil or harmful."""
    base = found.default.effect(key)
    moving = sorted((s for s in found.swings if found.p[s.of.name, key] < 0.05), key=lambda s: -abs(s.apart(key).mean()))
    ends = [f"{s.low.effect(key)[0]:+.2f} at {shown(s.of.low)}, {s.high.effect(key)[0]:+.2f} at {shown(s.of.high)}" for s in moving]
    named = ", ".join(f"`{s.of.name}` ({said})" for s, said in zip(moving, ends, strict=True))
    says = [f"It changes, told from chance, with {named}." if moving else "It changes with none of them by more than chance."]
    for swing in moving:
        if not np.any(swing.of.low) and verdict(base) == "lower":
            left = 100.0 * swing.low.effect(key)[0] / base[0]
            rests = f"{100.0 - left:.0f} % rest on an assumption without a source"
            says.append(f"Without `{swing.of.name}` (at 0) {left:.0f} % of the effect is left: {rests}.")
    judged = [
        (f"`{s.of.name}` {shown(v)}", verdict(w.effect(key))) for s in found.swings for v, w in ((s.of.low, s.low), (s.of.high, s.high))
    ]
    for kind, what in (("higher", "**Harmful**"), ("open", "No effect shown (the interval holds 0)"), ("nothing", "Exactly nothing")):
        if at := [name for name, told in judged if told == kind]:
            says.append(f"{what} at {f'all {len(at)} ends' if len(at) == len(judged) else ', '.join(at)}.")
    return [f"- **`{key}`**, {written(base)} % at all defaults. {' '.join(says)}"]


def _short(found: Found) -> list[str]:
    """The page in a few lines: each instrument at its default dose."""
    lines = []
    for key in found.given:
        effect, dose = found.dose_effect(key, default_dose(key)), default_dose(key)
        most = _ordered(found, key)
        widest = max(most, key=lambda swing: abs(swing.apart(key).mean()))
        told = found.p[widest.of.name, key] < 0.05
        rests = (
            f"; of the ten parameters it hangs most on `{widest.of.name}`"
            if told
            else "; none of the ten parameters changes it by more than chance"
        )
        lines.append(f"- `{key}`, dose {dose:g}: {written(effect)} %, {VERDICTS[verdict(effect)]}{rests}.")
    return lines


def page(found: Found, words: Sequence[str] = WORDS) -> str:
    """Return the page, its sentences made from the numbers."""
    sets = len(plausible_sets())
    together = f"the mean of {sets - 1} sets that a calibration found to show the known patterns together"
    calibrated = together if sets > 1 else "not calibrated"
    typed = " ".join(word for word in words if not word.startswith(("parallel", "by")))
    lines = [
        "# What the three flagship instruments do",
        "",
        f"Written by `make docs PAGE=flagships`: {typed}; the parameters are {calibrated}. Effects are on defects per unit that "
        "reach users (field DPU, mean of the last 12 months), in % of the level without programme on the same luck, with paired 95 % "
        "intervals, not corrected for how many there are. Below 0 is better.",
        "",
        *_short(found),
        "",
        "## Dose and response",
        "",
        f"{found.doses.runs['replicate'].nunique()} replicates of every dose, all on the same luck. Money is summed over the whole run, "
        "against no programme; society is government and firms' cost of quality together. A cost per avoided defect is CNY paid per CNY "
        "of defective sales that did not reach users, with Fieller's interval; it is not defined where it is not sure that any were "
        "avoided, and below 0 where money is saved.",
        "",
        "![Effect against dose](flagships_doses.png)",
        "",
        *(line for key in found.given for line in _dose_lines(found, key)),
        "## Are sizes of this kind to be believed?",
        "",
        *_sizes(found),
        "",
        "## What they rest on",
        "",
        *_rule(found),
        "",
        "![Effects at the ends of ranges](flagships_sensitivity.png)",
        "",
        *table(["parameter", "from … to", "what it governs"], [[f"`{s.of.name}`", _range(s.of), s.of.why] for s in found.swings]),
        "",
        *(line for key in found.given for line in _rests(found, key)),
        "",
        "Told from chance: the paired difference between the ends, p below 5 % after Holm's correction over all parameters and "
        "instruments.",
        "",
        *_sensitivity(found),
    ]
    return "\n".join(lines) + "\n"


def _rule(found: Found) -> list[str]:
    """Say how parameters and their ranges were chosen."""
    unsourced = sum(f.metadata["confidence"] == "N" for f in declared(Parameters))
    return [
        f"{unsourced} parameters of the world are marked N: looked for, and no source found. Of these {len(found.swings)} are changed "
        "here, one at a time: those through which one of the instruments acts (how many defects and problems there are and what they are "
        "worth, what the officer, the station and the loan add, how practice spreads and lasts). A range is the one that the calibration "
        "searches; of what is not searched it goes from half of the default to its double, within what is legal. Each end is a world of "
        f"its own, compared with no programme in that same world: {len(found.default.each)} replicates, default doses. A world at an end "
        "need not show the known patterns any more, and what two parameters do together is not seen.",
    ]


def write(
    folder: Path,
    keep: Path | None = None,
    words: Sequence[str] = WORDS,
    replicates: tuple[int, int] = (20, 10),
    doses: Mapping[str, Sequence[float]] = DOSES,
    uncertain: Sequence[Uncertain] = UNCERTAIN,
) -> Found:
    """Simulate, and write the page and its figures into a folder."""
    with tempfile.TemporaryDirectory() as passing:
        found = simulate(words, replicates, keep or Path(passing), doses, uncertain)
    about = {**found.doses.manifest, "id": "flagships"}
    save(dose_figure(found), folder / "flagships_doses.png", about)
    save(tornado(found), folder / "flagships_sensitivity.png", about)
    (folder / "flagships.md").write_text(page(found, words), encoding="utf-8")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m experiments.pages flagships", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder in which runs are kept, and looked for before they are simulated")
    write(EVIDENCE, parser.parse_args().keep)
