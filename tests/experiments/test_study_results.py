"""Results as objects: what a study that was just run, or that lies on disk, shows of itself, in both languages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments import all_runs, compare, load
from experiments.analysis.results import write_table
from experiments.calibration.patterns import PATTERNS
from experiments.configuration.preflight import checked_settings
from experiments.languages.wording import say, use_language
from experiments.reports.comparison import present, summary
from experiments.reports.exchange import present_exchange
from experiments.reports.html import report
from experiments.reports.overview import MOST_LINES
from experiments.runs.manifests import write_manifest
from experiments.studies.exchange import run_exchange
from experiments.study_results import CalibrationResult, ComparisonResult, ExchangeResult, ValidationResult
from sim.outcomes import OUTCOMES

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.2", "replicates=3", "months=6", "window=3", "burn_in=3", "parallel=serial")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def comparison() -> ComparisonResult:
    return compare(*SMALL, "instruments=[cqo,one_stop_stations]")


@pytest.fixture(scope="module")
def folder(comparison: ComparisonResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with the study and an exchange."""
    results = tmp_path_factory.mktemp("results")
    present(comparison, results / "study")
    readable, settings = checked_settings(["study=exchange", *SMALL, "study.policies=[guangdong]"])
    present_exchange(run_exchange(settings, readable, progress=False), results / "exchange")
    return results


def configuration() -> dict[str, Any]:
    """The resolved settings of a small study."""
    return checked_settings(SMALL)[1].resolved


@pytest.fixture
def calibration() -> CalibrationResult:
    searched = {"base_dpu": [0.0, 0.2], "severity": [0.01, 0.05]}
    study = {"kind": "calibration", "searched_only": {}, "searched": searched, "final_sets": 3, "replicates_per_set": 2}
    sets = pd.DataFrame({
        "mean": [True, False, False, False], "plausible": [True, True, True, False], "patterns": [9, 8, 10, 3],
        "base_dpu": [0.1, 0.05, 0.15, 0.19], "severity": [0.03, 0.02, 0.04, 0.05],
    })  # fmt: skip
    waves = pd.DataFrame({"wave": [1, 2], "points": 10, "cut": [2.0, 0.5], "left": [0.0131, 0.0], "plausible_points": [4, 0]})
    influence = pd.DataFrame({"figure": ["drift", "warranty"], "base_dpu": [0.9, 0.1], "severity": [0.1, 0.2]})
    manifest = {"id": "0123", "configuration": configuration() | {"study": study}}
    return CalibrationResult(pd.DataFrame({"wave": range(20)}), sets, waves, influence, manifest)


@pytest.fixture
def validation() -> ValidationResult:
    rows = pd.DataFrame([
        {
            "number": pattern.number, "pattern": pattern.label, "figure": key, "label": probe.label, "unit": probe.unit,
            "median": 0.5291, "low": -0.2, "high": 1234.5, "within": 0.985, "holds": pattern.number != 5,
        }
        for pattern in PATTERNS
        for key, probe in pattern.probes.items()
    ])  # fmt: skip
    observed = pd.DataFrame({"set": ["default", "default", "set_01"], "figure": ["pass_rate", "pass_rate", "drift"], "value": 1.0})
    return ValidationResult(observed, rows, {"id": "0123", "configuration": configuration() | {"study": {"kind": "validation"}}})


def of_kind(kind: str, request: pytest.FixtureRequest) -> Any:
    """A result of a kind."""
    return load(request.getfixturevalue("folder") / "exchange") if kind == "exchange" else request.getfixturevalue(kind)


KINDS = ("comparison", "exchange", "calibration", "validation")

# -- every kind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_result_shows_itself_in_at_most_twenty_lines(kind, language, request):
    result = of_kind(kind, request)
    with use_language(language):
        lines = repr(result).splitlines()
    assert 3 <= len(lines) <= MOST_LINES
    assert bool(CHINESE.search(lines[0])) == (language == "zh")
    assert ".to_excel(" in lines[-1] and ".report(" in lines[-1] and ".summary()" in lines[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_a_table_without_a_script_in_a_notebook(kind, request):
    page = of_kind(kind, request)._repr_html_()
    assert page.startswith("<div>") and "<table>" in page and "<script" not in page
    assert set(re.findall(r"</?(\w+)", page)) <= {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_result_writes_its_report_and_its_workbook(kind, language, request, tmp_path):
    result = of_kind(kind, request)
    text = result.report(language, path=tmp_path / "page")
    assert (tmp_path / "page").read_text(encoding="utf-8") == text
    assert ("<html" in text) == (kind in {"comparison", "exchange"})
    result.to_excel(tmp_path / "one.xlsx", language)
    result.to_excel(tmp_path / "two.xlsx", language)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    sheets = openpyxl.load_workbook(tmp_path / "one.xlsx").sheetnames
    with use_language(language):
        assert sheets[0] == say("tables.sheets.about") and len(sheets) <= 10
    with pytest.raises(ValueError, match=r"wrong\.csv does not end in \.xlsx.*wrong\.xlsx"):
        result.to_excel(tmp_path / "wrong.csv")


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_is_drawn_by_its_name_and_a_wrong_name_gets_the_nearest(kind, request):
    result = of_kind(kind, request)
    assert isinstance(result.plot(language="zh"), Figure)
    with pytest.raises(ValueError, match="no figure is called 'zzz'; figures are "):
        result.plot("zzz")


# -- a comparison ---------------------------------------------------------------------------------------------


def test_the_effects_are_a_table_and_a_question(comparison):
    table = comparison.effects.query("arm == 'cqo' and by == 'total'").set_index("outcome")
    asked = comparison.effects(arm="cqo").set_index("outcome")
    assert list(asked.index) == list(table.index)
    for name in ("level", "effect", "effect_low", "effect_high", "effect_share"):
        pd.testing.assert_series_equal(pd.Series(asked[name]), pd.Series(table[name]))
    assert list(asked["label"]) == [OUTCOMES[key].label for key in asked.index]
    assert comparison.effects["arm"].nunique() == 4, "the table has the reference"
    assert set(comparison.effects()["arm"]) == {"cqo", "one_stop_stations", "all"}
    assert set(comparison.effects(arm="nothing")["effect"].dropna()) == {0.0}
    assert list(comparison.effects(["all", "cqo"], ("copq", "field_dpu"))["outcome"]) == ["field_dpu", "copq"] * 2


def test_the_effects_speak_both_languages(comparison):
    chinese = comparison.effects("cqo", "field_dpu", language="zh").iloc[0]
    assert chinese["label"] == OUTCOMES["field_dpu"].label_zh and chinese["outcome"] == "field_dpu"
    assert comparison.effects("cqo", "field_dpu").iloc[0]["label"] == OUTCOMES["field_dpu"].label


def test_effects_by_group_are_asked_for_by_the_grouping(comparison):
    rows = comparison.by("size", outcome="nonconformity")
    assert set(rows["group"]) == {"small", "medium", "large"} and set(rows["arm"]) == {"cqo", "one_stop_stations", "all"}
    pd.testing.assert_frame_equal(rows, comparison.effects(outcome="nonconformity", by="size"))


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda c: c.by("chain"), r"this study recorded no grouping 'chain', but total, tier, size; type by=\[tier,size,chain\]"),
        (lambda c: c.by("sizes"), r"no grouping is called 'sizes'; this study recorded total, tier, size; did you mean 'size'\?"),
        (lambda c: c.effects(arm="cqoo"), r"no arm is called 'cqoo'; arms are nothing, cqo.*did you mean 'cqo'\?"),
        (lambda c: c.effects(outcome="fild_dpu"), r"no outcome is called 'fild_dpu'.*did you mean 'field_dpu'\?"),
    ],
)
def test_what_is_not_there_gets_a_line_that_says_what_is(comparison, ask: Callable[[ComparisonResult], Any], line):
    with pytest.raises(KeyError, match=line):
        ask(comparison)


def test_the_summary_and_the_report_are_those_of_the_terminal_and_of_the_folder(comparison):
    assert comparison.summary() == comparison.summary("en") == summary(comparison)
    assert comparison.report() == report(comparison)
    with use_language("zh"):
        chinese = summary(comparison)
    assert comparison.summary("zh") == chinese
    assert '<html lang="zh"' in comparison.report("zh")


def test_every_figure_of_the_folder_can_be_drawn(comparison, folder):
    drawn = {path.stem for path in (folder / "study").glob("*.png")}
    for name in sorted(drawn):
        assert isinstance(comparison.plot(name), Figure)
    with pytest.raises(ValueError, match=r"did you mean 'effects'\?"):
        comparison.plot("efects")


def test_a_study_on_disk_is_the_study_that_was_run(comparison, folder, tmp_path):
    loaded = load(folder / "study")
    assert isinstance(loaded, ComparisonResult)
    for name, table in comparison.tables.items():
        pd.testing.assert_frame_equal(loaded.tables[name], table)
    assert repr(loaded) == repr(comparison) and loaded._repr_html_() == comparison._repr_html_()
    assert loaded.summary("zh") == comparison.summary("zh")
    pd.testing.assert_frame_equal(loaded.by("tier"), comparison.by("tier"))
    loaded.to_excel(tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == (folder / "study" / "results.xlsx").read_bytes()


def test_many_arms_and_names_that_are_markup_stay_short_and_harmless(comparison):
    row = comparison.effects[comparison.effects["arm"] == "cqo"]
    arms = [f"<img src=x onerror=alert({k})>" for k in range(30)]
    effects = pd.concat([comparison.effects[comparison.effects["arm"] == "nothing"], *(row.assign(arm=arm) for arm in arms)])
    many = replace(comparison, effects=effects)
    assert isinstance(many, ComparisonResult) and len(repr(many).splitlines()) <= MOST_LINES
    assert "and 18 further rows" in repr(many)
    assert "<img" not in many._repr_html_() and "&lt;img" in many._repr_html_()


def test_a_study_of_one_arm_says_that_nothing_is_compared():
    alone = compare(*SMALL[:1], "scale=0.2", "replicates=1", "months=3", "window=3", "burn_in=1", "parallel=serial", "instruments=[]")
    assert "nothing to compare it with" in repr(alone) and "<table>" not in alone._repr_html_()
    assert alone.effects().empty


# -- other kinds ------------------------------------------------------------------------------------------------


def test_an_exchange_on_disk_has_its_names_and_its_cells(folder):
    exchange = load(folder / "exchange")
    assert isinstance(exchange, ExchangeResult)
    assert exchange.regions == {"sample": "A sample region 示例地区"} and exchange.policies == {"guangdong": "Guangdong 广东"}
    assert list(exchange.tables)[-1] == "exchange" and len(exchange.cells) == 1
    assert "Guangdong" in repr(exchange) and exchange.summary()


@pytest.mark.parametrize("kind", ["calibration", "validation"])
def test_other_kinds_on_disk_are_what_was_run(kind, request, tmp_path):
    result = request.getfixturevalue(kind)
    for name, table in result.tables.items():
        write_table(table, tmp_path / name)
    write_manifest(result.manifest, tmp_path)
    loaded = load(tmp_path)
    assert type(loaded) is type(result) and repr(loaded) == repr(result)
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(loaded.tables[name], table)


def test_a_calibration_without_a_plausible_set_has_a_report(calibration):
    none = replace(calibration, sets=calibration.sets.assign(plausible=False))
    assert none.report() == none.summary()


# -- all runs -----------------------------------------------------------------------------------------------------


def test_all_runs_are_one_table(comparison, folder, tmp_path, capsys):
    (folder / "sweep" / "0").mkdir(parents=True, exist_ok=True)
    present(comparison, folder / "sweep" / "0", figures=False)
    table = all_runs(folder)
    assert list(table["study"].unique()) == ["exchange", "study", "sweep/0"]
    assert len(table) == 2 * len(comparison.runs) + 6 and not capsys.readouterr().err
    ours = table[table["study"] == "study"].set_index(["arm", "replicate"])
    assert set(ours.loc["all", "instruments"]) == {"cqo,one_stop_stations"} and set(ours["region"]) == {"sample"}
    assert set(table.loc[table["study"] == "exchange", "policy"]) == {"none", "guangdong"}
    np.testing.assert_array_equal(ours["field_dpu"], comparison.runs["field_dpu"])
    damaged = folder / "sweep" / "0" / "runs.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert list(all_runs(folder)["study"].unique()) == ["exchange", "study"]
    assert re.fullmatch(r".*sweep/0 is left out: .*runs\.parquet.*\n", capsys.readouterr().err)


def test_a_folder_without_studies_gives_an_empty_table_and_none_an_error(tmp_path):
    assert all_runs(tmp_path).empty
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        all_runs(tmp_path / "nowhere")


# -- files ----------------------------------------------------------------------------------------------------------


def test_the_workbook_is_in_the_list_of_checksums(folder):
    for name in ("study", "exchange"):
        assert "  results.xlsx\n" in (folder / name / "SHA256SUMS").read_text(encoding="utf-8")


def test_the_workbook_holds_the_tables(comparison, folder):
    book = openpyxl.load_workbook(io.BytesIO((folder / "study" / "results.xlsx").read_bytes()))
    assert len(book.sheetnames) <= 10
    for title, table in (("Effects", comparison.effects("", "")), ("Runs", comparison.runs)):
        rows = list(book[title].values)
        shown = pd.DataFrame(rows[2:], columns=rows[1])
        column = "effect" if title == "Effects" else f"{OUTCOMES['field_dpu'].label} (defects/unit)"
        theirs = table["effect" if title == "Effects" else "field_dpu"]
        assert len(shown) == len(table) and book[title].freeze_panes == "A3"
        np.testing.assert_array_equal(np.sort(shown[column].astype(float)), np.sort(theirs))
    about = "\n".join(str(cell) for row in book["About"].values for cell in row)
    for part in (comparison.manifest["id"], comparison.manifest["result"], "CNY", *(f"“{name}”" for name in book.sheetnames[1:])):
        assert part in about


def test_heads_of_csv_files_are_words_on_request_and_parquet_keeps_keys(comparison, tmp_path):
    asked = comparison.manifest["configuration"] | {"table_heads": "labels"}
    with use_language("zh"):
        replace(comparison, manifest=comparison.manifest | {"configuration": asked}).save(tmp_path)
    head = (tmp_path / "effects.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert head.startswith("方案,结果指标,分组方式,组别,单位,何者为优,水平,水平（95%置信区间下限）")
    pd.testing.assert_frame_equal(load(tmp_path).effects, comparison.effects)
