"""What every instrument does at five doses: ``make docs PAGE=dose_response`` writes docs/evidence/dose_response.md and its figure.

Effects are paired on common luck (`dose_runs`). With ``--keep results/runs`` runs are kept, and an interrupted study goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.figures import COLOURS, save, style
from experiments.figures.style import WIDE, finish
from experiments.formatting import table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.dose_figure import dose_panel
from experiments.pages.evidence.dose_runs import DOSES, Found, Response, shape, sign, simulate
from experiments.pages.evidence.mean_effects import VERDICTS, default_dose, verdict, written
from sim import INSTRUMENTS

__all__ = ["figure", "line", "page", "write"]

WORDS = ("region=liaoning", "by=[]")
COLUMNS = 4
#: What the page calls a sign (experiments/pages/evidence/dose_runs.py), and the colour of its panel.
SIGNS = {
    "helpful": ("fewer defects reach users", COLOURS[1]),
    "harmful": ("**harmful: more defects reach users**", COLOURS[2]),
    "mixed": ("**mixed: fewer defects at some doses, more at others**", COLOURS[4]),
    "open": ("no dose is told from 0", "0.45"),
    "nothing": ("exactly nothing at any dose", "0.45"),
    "unknown": ("not known: one replicate gives no interval", "0.45"),
}
SHAPES = {
    "flattening": "flattening: from half of the full dose to all of it no further change is told",
    "falling back": "falling back: the full dose does less than half of it",
    "diminishing": "rising, by less for each further unit of dose",
    "growing": "rising, by more for each further unit of dose",
    "proportional": "rising; that it is not in proportion to the dose is not told",
}


def figure(found: Found) -> Figure:
    """Draw the effect of each instrument against its dose, a panel an instrument; scales differ."""
    rows = -(-len(found.responses) // COLUMNS)
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 0.5 + 1.55 * rows))
        panels = drawn.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, one in zip(panels, found.responses, strict=False):
            dose_panel(axes, one.key, [0.0, *one.given], [(0.0, 0.0, 0.0), *one.effects], SIGNS[sign(one)][1], width=24)
            low, high = axes.get_ylim()
            axes.set_ylim(min(low, -0.5), max(high, 0.5))  # so that noise does not look like an effect
        for axes in panels[len(found.responses) :]:
            axes.set_axis_off()
        drawn.supylabel("effect on defects reaching users, % (scales differ)", fontsize=7.5)
        what = "dots: bars are paired 95 % intervals; dashed line: default dose; blue: fewer defects told, orange: more, grey: not told"
        return finish(drawn, {**found.about, "id": "dose_response"}, what)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 or value == int(value) else f"{value:,.1f}"


def _millions(one: Response, k: int) -> str:
    middle, low, high = (value / 1e6 for value in one.costs[k])
    return "0" if middle == low == high == 0.0 else f"{middle:,.3g}" if low != low else f"{middle:,.3g} [{low:,.3g}, {high:,.3g}]"


def line(one: Response) -> str:
    """Say the sign and the shape of an instrument's effect, by rule."""
    cls, kind, how = INSTRUMENTS[one.key], sign(one), shape(one)
    effect = one.effects[-1]
    at = f"{written(effect)} % at the full dose ({cls.dose} {one.given[-1]:g})"
    what = SIGNS[kind][0] + (f", {SHAPES[how]}" if how else "")
    if kind == "open" and effect[1] == effect[1]:
        widest = max((max(-low, high) for _, low, high in one.effects), default=0.0)
        what += f"; effects beyond ±{widest:.2f} % are outside all intervals"
    beside = f", beside `{one.beside.key}`" if one.beside else ""
    return f"- `{one.key}` ({cls.label_zh}){beside}: {what}; {at}."


def _section(one: Response) -> list[str]:
    """The table of one instrument."""
    cls, default, body = INSTRUMENTS[one.key], default_dose(one.key), []
    for k, (dose, effect) in enumerate(zip(one.given, one.effects, strict=True)):
        counts = "; ".join(f"{name} {_number(value)}" for name, value in one.counts[k].items())
        told = VERDICTS["nothing"] if verdict(effect) == "nothing" else one.told[k]
        body.append([f"{dose:g} (default)" if dose == default else f"{dose:g}", written(effect), told, _millions(one, k), counts])
    unit = cls.__dataclass_fields__[cls.dose].metadata["unit"]
    head = [f"`{cls.dose}`, {unit}", "effect, %", "told from 0", "government, million CNY", "delivered in a run"]
    out = [f"### `{one.key}` ({cls.label_zh})", ""]
    if one.beside:
        levers = {f.name: getattr(one.beside, f.name) for f in fields(one.beside)}
        moved = ", ".join(f"{name} {value}" for name, value in levers.items() if value != getattr(type(one.beside)(), name))
        out += [f"Beside `{one.beside.key}` ({moved}), which is in the reference too; what is told as “more” is against that.", ""]
    return [*out, *table(head, body), ""]


def page(found: Found, words: Sequence[str]) -> str:
    """Return the page, its sentences made from the numbers."""
    replicates, doses = found.responses[0].each.shape[0], sum(len(one.given) for one in found.responses)
    signs = [sign(one) for one in found.responses]
    counted = ", ".join(f"{signs.count(kind)} {kind}" for kind in SIGNS if kind in signs)
    months = found.about["configuration"]["months"]
    lines = [
        "# What every instrument does, dose by dose",
        "",
        f"Written by `make docs PAGE=dose_response`: {' '.join(words)}, {found.firms:,} firms, {months} months, "
        f"{replicates} replicates. Each dose is compared with dose 0, which is no programme, on the same luck; what serves other "
        "programmes alone is measured beside a fixed companion that is in the reference too. All other levers are at their defaults. "
        "Effects are on defects per unit that reach users (field DPU, mean of the last "
        f"{found.about['configuration']['window']} months; {found.level:.4f} without programme), in % of the reference, with paired 95 % "
        "intervals. Below 0 is better. They rest on assumptions: nothing here was fitted to an effect that anybody measured.",
        "",
        f"Of {len(signs)} instruments: {counted}.",
        "",
        *(line(one) for one in found.responses),
        "",
        "![Effect against dose, an instrument a panel](dose_response.png)",
        "",
        "## The rules behind these words",
        "",
        f"1. A dose is *told from 0* (“lower” or “higher”) if its interval leaves out 0 and its p-value, corrected over all {doses} "
        "doses of all instruments (Holm), is below 5 %.",
        "2. The *sign* is helpful if some dose is told to be lower and none higher, harmful the other way round, mixed if both; open if "
        "no dose is told from 0, which does not show that there is no effect.",
        "3. The *shape*, where there is a sign, compares the full dose with the largest dose that is half of it or less, by paired 95 % "
        "intervals that are not corrected: of the difference of both effects (“flattening” if it holds 0, “falling back” if it goes "
        "against the sign), else of the difference of both per unit of dose (“by less” or “by more” where it leaves out 0).",
        "4. A full dose is all of what is a share or a degree; elsewhere it is an assumption (`doses_shown` in its file).",
        "",
        "## Doses",
        "",
        *(text for one in found.responses for text in _section(one)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def write(
    folder: Path,
    keep: Path | None = None,
    words: Sequence[str] = (*WORDS, "months=48"),
    firms: int = 1_000,
    replicates: int = 12,
    workers: int = 2,
    doses: Mapping[str, Sequence[float]] = DOSES,
) -> Found:
    """Simulate, and write the page and its figure into a folder."""
    with tempfile.TemporaryDirectory() as passing:
        found = simulate(words, firms, replicates, workers, keep or Path(passing), doses)
    save(figure(found), folder / "dose_response.png", {**found.about, "id": "dose_response"})
    (folder / "dose_response.md").write_text(page(found, words), encoding="utf-8")
    return found


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.pages dose_response", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder in which runs are kept, and looked for before they are simulated")
    parser.add_argument("--to", type=Path, default=EVIDENCE, help="folder of the page")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(DOSES), default=sorted(DOSES), metavar="KEY", help="instruments; all by default"
    )
    for name, default in (("firms", 1_000), ("months", 48), ("replicates", 12), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{default} by default")
    given = parser.parse_args()
    doses = {key: DOSES[key] for key in given.only}
    write(given.to, given.keep, (*WORDS, f"months={given.months}"), given.firms, given.replicates, given.workers, doses)


if __name__ == "__main__":
    _main()
