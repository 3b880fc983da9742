"""A sweep: the table of its points, the arms that it can touch, and its report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from experiments.analysis.heads import head_of
from experiments.analysis.sweeps import read_sweep, summary_of_points
from experiments.languages.wording import use_language
from experiments.reports.sweep import collect_sweep
from experiments.reports.sweep_report import sweep_findings, sweep_report
from experiments.reports.verdict import sentences
from experiments.runs.manifests import write_manifest
from tests.experiments.reports.test_marked_language import Texts, escaped, language, no_pictures  # noqa: F401

ARMS = ("nothing", "cqo", "one_stop_stations")
REACH, STATIONS = "instruments.cqo.reach", "instruments.one_stop_stations.per_1000_firms"


def arm(name: str, values: dict[str, str]) -> dict:
    """The configuration of an arm: its own instrument alone is active."""
    levers = {"cqo": {"reach": values.get(REACH, "1")}, "one_stop_stations": {"per_1000_firms": values.get(STATIONS, "1")}}
    instruments = {key: {"active": key == name, **of_key} for key, of_key in levers.items()}
    return {"region": {"key": values.get("region", "sample")}, "network": {}, "scale": values.get("scale", "1"), "instruments": instruments}


def finished(folder: Path, values: dict[str, str], share: float, replicates: int = 6) -> None:
    """Write a finished point in which officers change defects by a share, and stations by nothing that is shown."""
    folder.mkdir(parents=True)
    rows = []
    for name, mean, half in (("nothing", 0.0, 0.0), ("cqo", share, 0.02), ("one_stop_stations", -0.01, 0.02)):
        concluded = "no change" if not half else "not shown" if abs(mean) < half else "lower" if mean < 0 else "higher"
        ends = {
            f"{stem}{end}": mean + sign * half for stem in ("effect", "effect_share") for end, sign in (("", 0), ("_low", -1), ("_high", 1))
        }
        rows.append(
            {"arm": name, "outcome": "field_dpu", "by": "total", "group": "total", **ends, "conclusion": concluded, "replicates": 6}
        )
    pd.DataFrame(rows).to_parquet(folder / "effects.parquet")
    ratio = {f"ratio{end}": -0.1 / share for end in ("", "_low", "_high")}
    costs = [{"arm": name, "payer": payer, "cost": 2e6, **ratio} for name in ARMS[1:] for payer in ("government", "firms")]
    pd.DataFrame(costs).to_parquet(folder / "costs.parquet")
    study = {"kind": "compare", "arms": None}
    region = {"key": "sample", "label": "Sample", "label_zh": "示例"}
    general = {
        "months": 24,
        "window": 12,
        "replicates": replicates,
        "seed": 1,
        "region": region,
        "network": {"kind": "region"},
        "study": study,
    }
    typed = [f"{key}={value}" for key, value in values.items()]
    of_arms = {name: arm(name, values) for name in ARMS}
    about = {"id": f"a{folder.name}", "overrides": typed, "configuration": general, "arms": of_arms, "replicates": replicates}
    write_manifest({**about, "reference": "nothing", "finished": "2026-01-01T00:00:00"}, folder)


def failed(folder: Path, values: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    note = {"overrides": [f"{key}={value}" for key, value in values.items()], "error": "too many officers"}
    (folder / "point.json").write_text(json.dumps(note), encoding="utf-8")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two reaches, two numbers of stations; the last point failed."""
    for k, (reach, stations) in enumerate((("0.25", "1"), ("0.25", "2"), ("0.5", "1"))):
        finished(tmp_path / "sweep" / str(k), {"months": "24", REACH: reach, STATIONS: stations}, -0.2 * float(reach))
    failed(tmp_path / "sweep" / "3", {"months": "24", REACH: "0.5", STATIONS: "2"})
    return tmp_path / "sweep"


def test_the_summary_has_a_row_a_point_and_the_figures_of_every_arm(folder):
    table = summary_of_points(read_sweep(folder))
    assert list(table.columns[:3]) == ["point", REACH, STATIONS]
    assert table[REACH].to_list() == [0.25, 0.25, 0.5, 0.5] and table[STATIONS].to_list() == [1, 2, 1, 2]
    assert table["defects_percent: cqo"].to_list()[:3] == pytest.approx([-5.0, -5.0, -10.0])
    assert table["conclusion: cqo"].to_list()[:3] == ["lower"] * 3
    assert table.loc[0, ["government_money: cqo", "cost_per_avoided: cqo"]].to_list() == [2e6, pytest.approx(2.0)]
    assert table["replicates"].to_list()[:3] == [6, 6, 6] and table.loc[3].drop(["point", REACH, STATIONS, "error"]).isna().all()
    assert table["error"].isna().to_list() == [True] * 3 + [False] and table.at[3, "error"] == "too many officers"


def test_heads_of_the_summary_are_words_where_words_are_asked_for(folder):
    assert head_of("defects_percent_low: cqo") == "change of defects reaching users, %, lower end of the interval: cqo"
    with use_language("zh"):
        assert head_of("government_money: cqo") == "财政支出（元）：cqo"


@pytest.mark.parametrize(
    ("swept", "touched"),
    [
        ((REACH, "0.25", "0.5"), ("cqo",)),
        (("scale", "0.5", "1"), ARMS[1:]),
        (("region", "sample", "other"), ()),
        (("seed", "1", "2"), ARMS[1:]),
    ],
    ids=["lever", "world", "a name alone", "whole study"],
)
def test_an_arm_is_touched_if_what_it_is_differs_between_points(tmp_path, swept, touched):
    key, *values = swept
    for k, value in enumerate(values):
        finished(tmp_path / str(k), {key: value}, -0.1)
    sweep = read_sweep(tmp_path)
    assert sweep.touches == bool(touched)
    assert sweep.touched == (touched or ARMS[1:]) and set(sweep.untouched) == set(ARMS[1:]) - set(sweep.touched)


def test_the_same_runs_at_several_points_count_once(folder):
    shown = sweep_findings(read_sweep(folder))
    assert (shown.compared, shown.lower, shown.higher, shown.points, shown.failed) == (4, 2, 0, 4, 1)
    assert shown.best is not None and dict(shown.best.values)["dose of chief quality officers"] == "0.5" and shown.best.arm.name == "cqo"
    assert shown.at_end == ("dose of chief quality officers", "0.5") and shown.rivals == ()


def test_a_legal_bound_has_nothing_beyond_it(tmp_path):
    for k, reach in enumerate(("0.5", "1")):
        finished(tmp_path / str(k), {REACH: reach}, -0.2 * float(reach))
    assert sweep_findings(read_sweep(tmp_path)).at_end is None


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_verdict_is_three_short_sentences(folder, code):
    with use_language(code):
        verdict = sentences("sweep_verdict", sweep_findings(read_sweep(folder)))
    words = len(re.findall(r"[\w.,’-]*\w", " ".join(verdict))) if code == "en" else len(re.findall(r"[\u3400-\u9fff]", "".join(verdict)))
    assert len(verdict) == 3 and all(verdict) and words <= (60 if code == "en" else 120)


@pytest.mark.parametrize(
    ("falls", "advised"),
    [
        (
            (-0.1, -0.2, -0.1, -0.3),
            "Choose dose of chief quality officers = 0.5: there defects fall most in both cases of scale (−30.0 % and −20.0 %).",
        ),
        (
            (-0.1, -0.2, -0.4, -0.3),
            "What is best depends on scale, which nobody can choose: defects fall most at dose of",
        ),
    ],
    ids=["everywhere", "it depends"],
)
def test_a_value_that_nobody_can_choose_is_never_advised(tmp_path, falls, advised):
    points = [(reach, scale) for scale in ("0.5", "1") for reach in ("0.2", "0.5")]
    for k, ((reach, scale), fall) in enumerate(zip(points, falls, strict=True)):
        finished(tmp_path / str(k), {REACH: reach, "scale": scale}, fall)
    shown = sweep_findings(read_sweep(tmp_path))
    assert (shown.chosen, shown.given, len(shown.cases)) == (("dose of chief quality officers",), ("scale",), 2)
    assert sentences("sweep_verdict", shown)[0].startswith(advised)


@pytest.mark.parametrize(
    ("others", "rivals"), [((-0.18, -0.27), ["0.2"]), ((-0.18, -0.2), []), ((-0.1, -0.27), [])], ids=["both", "one", "other"]
)
def test_what_may_do_as_well_does_so_in_every_case(tmp_path, others, rivals):
    """Intervals are 4 % wide; in each of two cases, another dose overlaps with the best one or does not."""
    for k, (reach, scale, fall) in enumerate(
        (("0.2", "0.5", others[0]), ("0.5", "0.5", -0.2), ("0.2", "1", others[1]), ("0.5", "1", -0.3), ("0.1", "1", -0.29))
    ):
        finished(tmp_path / str(k), {REACH: reach, "scale": scale}, fall)
    shown = sweep_findings(read_sweep(tmp_path))
    assert [one.chosen[0][1] for one in shown.rivals] == rivals
    said = sentences("sweep_verdict", shown)[1]
    assert ("; 0.2 may do as well." in said) == bool(rivals), said


@pytest.mark.study
def test_a_sweep_is_collected_with_a_report_that_links_its_points(folder):
    table = collect_sweep(folder)
    assert len(table) == 4 and {path.name for path in folder.glob("sweep*")} == {
        f"sweep{kind}" for kind in (".csv", ".parquet", ".png", "_summary.csv", "_summary.parquet")
    }
    html = (folder / "report.html").read_text(encoding="utf-8")
    for file in re.findall(r'href="([^"]+)"', html):
        assert (folder / file).with_suffix(".parquet").is_file()
    assert "data:image/png;base64," in html and "too many officers" in html
    assert pd.read_parquet(folder / "sweep.parquet")["point"].nunique() == 4


@pytest.mark.parametrize("kind", ["lower", "one replicate", "nothing shown", "failed", "not touched"])
def test_no_sentence_of_the_report_of_a_sweep_escapes(tmp_path, language, no_pictures, kind):  # noqa: F811
    key = "region" if kind == "not touched" else REACH
    for k in range(2):
        if kind == "failed":
            failed(tmp_path / str(k), {key: f"0.{k}"})
        else:
            finished(tmp_path / str(k), {key: f"0.{k}"}, -0.001 if kind == "nothing shown" else -0.1, 1 if kind == "one replicate" else 6)
    with use_language(language):
        texts = Texts(sweep_report(read_sweep(tmp_path))).texts
    # What was typed, errors, and the ids of this file.
    unnamed = r"instruments\.cqo\.reach|cqo\.reach|(?<=\W)reach(?= =)|too many officers|a0|effects\.csv"
    assert sorted(escaped(re.sub(unnamed, "", text) for text in texts)) == []
