"""What every instrument does at five doses: ``make docs PAGE=dose_response`` writes docs/evidence/dose_response.md and its figure.

Effects are paired by common random numbers (`dose_runs`). With ``--keep results/runs`` runs are kept, so that an interrupted study
can go on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.analysis.verdicts import Conclusion
from experiments.figures import COLOURS, save, style
from experiments.figures.style import WIDE, finish
from experiments.formatting import fixed, mean_count, significant, table, value
from experiments.pages import EVIDENCE
from experiments.pages.evidence.dose_figure import dose_panel
from experiments.pages.evidence.dose_runs import DOSES, DoseResponse, DoseResults, Shape, Sign, shape, sign, simulate
from experiments.pages.evidence.mean_effects import STATEMENTS, bracketed, default_dose, signed
from experiments.reports.findings import Estimate
from sim import INSTRUMENTS

__all__ = ["figure", "line", "page", "write"]

OVERRIDES = ("region=liaoning", "by=[]")
COLUMNS = 4
#: What the page says of a sign, and the colour of its panel.
SIGNS = {
    Sign.HELPFUL: (STATEMENTS[Conclusion.LOWER], COLOURS[1]),
    Sign.HARMFUL: (STATEMENTS[Conclusion.HIGHER], COLOURS[2]),
    Sign.MIXED: ("**mixed: fewer defects at some doses, more at others**", COLOURS[4]),
    Sign.NOT_SHOWN: ("no dose is shown to have an effect", "0.45"),
    Sign.NO_CHANGE: ("exactly no change at any dose", "0.45"),
    Sign.UNKNOWN: (STATEMENTS[Conclusion.UNKNOWN], "0.45"),
}
SHAPES = {
    Shape.FLATTENING: "flattening: from half of the full dose to the full dose no further change is shown",
    Shape.FALLING_BACK: "falling back: the full dose has less effect than half of it",
    Shape.DIMINISHING: "rising, by less for each further unit of dose",
    Shape.GROWING: "rising, by more for each further unit of dose",
    Shape.PROPORTIONAL: "rising; a departure from proportion to the dose is not shown",
}


def figure(results: DoseResults) -> Figure:
    """Draw the effect of each instrument against its dose, a panel an instrument; scales differ."""
    rows = -(-len(results.responses) // COLUMNS)
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 0.5 + 1.55 * rows))
        panels = drawn.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, response in zip(panels, results.responses, strict=False):
            effects = [Estimate(0.0, 0.0, 0.0), *response.effects]
            dose_panel(axes, response.key, [0.0, *response.doses], effects, SIGNS[sign(response)][1], width=24)
            low, high = axes.get_ylim()
            axes.set_ylim(min(low, -0.5), max(high, 0.5))  # so that noise does not look like an effect
        for axes in panels[len(results.responses) :]:
            axes.set_axis_off()
        drawn.supylabel("effect on defects reaching users, % (scales differ)", fontsize=7.5)
        small_print = "dots: bars are paired 95 % intervals; dashed line: default dose; blue: fewer defects, orange: more, grey: not shown"
        return finish(drawn, {**results.about, "id": "dose_response"}, small_print)


def line(response: DoseResponse) -> str:
    """Return the line of an instrument: sign and shape of its effect, and the effect of the full dose."""
    cls, direction, course = INSTRUMENTS[response.key], sign(response), shape(response)
    effect = response.effects[-1]
    statement = SIGNS[direction][0] + (f", {SHAPES[course]}" if course else "")
    if direction == Sign.NOT_SHOWN and effect.has_interval:
        widest = max(max(-low, high) for _, low, high in response.effects)
        statement += f"; effects beyond ±{fixed(widest, 2)} % are outside all intervals"
    served = f", with `{response.companion.key}`" if response.companion else ""
    at_full = f"{signed(effect)} % at the full dose ({cls.dose} {response.doses[-1]:g})"
    return f"- `{response.key}` ({cls.label_zh}){served}: {statement}; {at_full}."


def _section(response: DoseResponse) -> list[str]:
    """The table of one instrument."""
    cls, default, rows = INSTRUMENTS[response.key], default_dose(response.key), []
    for k, (dose, effect) in enumerate(zip(response.doses, response.effects, strict=True)):
        counts = "; ".join(f"{name} {mean_count(number)}" for name, number in response.counts[k].items())
        name = f"{dose:g} (default)" if dose == default else f"{dose:g}"
        cost = bracketed(response.costs[k].times(1e-6), significant)
        rows.append([name, signed(effect), response.conclusions[k].value, cost, counts])
    unit = cls.__dataclass_fields__[cls.dose].metadata["unit"]
    head = [f"`{cls.dose}`, {unit}", "effect, %", "conclusion", "government, million CNY", "delivered in a run"]
    lines = [f"### `{response.key}` ({cls.label_zh})", ""]
    if served := response.companion:
        levers = {f.name: getattr(served, f.name) for f in fields(served)}
        changed = ", ".join(f"{name} {value(lever)}" for name, lever in levers.items() if lever != getattr(type(served)(), name))
        lines += [f"Measured with `{served.key}` ({changed}), which is in the reference, too; “additional” counts are against that.", ""]
    return [*lines, *table(head, rows), ""]


def page(results: DoseResults, overrides: Sequence[str]) -> str:
    """Return the page."""
    replicates, doses = results.responses[0].changes.shape[0], sum(len(response.doses) for response in results.responses)
    signs = [sign(response) for response in results.responses]
    counted = ", ".join(f"{signs.count(direction)} {direction.value}" for direction in SIGNS if direction in signs)
    configuration = results.about["configuration"]
    lines = [
        "# What every instrument does, dose by dose",
        "",
        f"Written by `make docs PAGE=dose_response`: {' '.join(overrides)}, {results.firms:,} firms, {configuration['months']} months, "
        f"{replicates} replicates. Each dose is compared with dose 0, which is no programme, on the same random numbers. An instrument "
        "that only serves other programmes is measured with a fixed programme of that kind, which is in the reference, too. All other "
        "levers are at their defaults. Effects are on defects per unit that reach users (field DPU, mean of the last "
        f"{configuration['window']} months; {fixed(results.level, 4)} without programme), in % of the reference, with paired 95 % "
        "intervals. Below 0 is better. The effects rest on assumptions: nothing here was fitted to a measured effect.",
        "",
        f"Of {len(signs)} instruments: {counted}.",
        "",
        *map(line, results.responses),
        "",
        "![Effect against dose, an instrument a panel](dose_response.png)",
        "",
        "## The rules behind these statements",
        "",
        "1. The *conclusion* on a dose is “lower” or “higher” if its interval leaves out 0 and its p-value, corrected over all "
        f"{doses} doses of all instruments (Holm), is below 5 %; else “not shown”.",
        "2. The *sign* is helpful if the conclusion is “lower” at some dose and “higher” at none, harmful if it is the other way round, "
        "and mixed if both occur. It is not shown if no dose is shown to have an effect; this does not mean that there is no effect.",
        "3. The *shape*, where there is a sign, compares the full dose with the largest dose that is half of it or less, by paired 95 % "
        "intervals that are not corrected: first the difference of both effects (“flattening” if it holds 0, “falling back” if it goes "
        "against the sign), then the difference of both per unit of dose (“by less” or “by more” where it leaves out 0).",
        "4. A full dose is the whole of what is a share or a degree; elsewhere it is an assumption (`doses_shown` in its file).",
        "",
        "## Doses",
        "",
        *(text for response in results.responses for text in _section(response)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def write(
    folder: Path,
    keep: Path | None = None,
    overrides: Sequence[str] = (*OVERRIDES, "months=48"),
    firms: int = 1_000,
    replicates: int = 12,
    workers: int = 2,
    doses: Mapping[str, Sequence[float]] = DOSES,
) -> DoseResults:
    """Simulate, and write the page and its figure into a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        results = simulate(overrides, firms, replicates, workers, keep or Path(temporary), doses)
    save(figure(results), folder / "dose_response.png", {**results.about, "id": "dose_response"})
    (folder / "dose_response.md").write_text(page(results, overrides), encoding="utf-8")
    return results


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.pages dose_response", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder in which runs are kept, and looked for before they are simulated")
    parser.add_argument("--to", type=Path, default=EVIDENCE, help="folder of the page")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(DOSES), default=sorted(DOSES), metavar="KEY", help="instruments; all by default"
    )
    for name, default in (("firms", 1_000), ("months", 48), ("replicates", 12), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{default} by default")
    options = parser.parse_args()
    doses = {key: DOSES[key] for key in options.only}
    overrides = (*OVERRIDES, f"months={options.months}")
    write(options.to, options.keep, overrides, options.firms, options.replicates, options.workers, doses)


if __name__ == "__main__":
    _main()
