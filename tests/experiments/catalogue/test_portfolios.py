"""The portfolios of places: every lever has a source that says what the collected facts say, and each does something of its own."""

from __future__ import annotations

import copy
import csv
import re

import numpy as np
import pytest
import yaml
from omegaconf import open_dict

import experiments.configuration.preflight as checks
from experiments.catalogue.portfolios import EMPTY, portfolios, read_portfolio
from experiments.catalogue.practices import practices
from experiments.catalogue.settings import region_files
from experiments.commands import verbs
from experiments.configuration import files
from experiments.configuration.declared import groups
from experiments.configuration.files import CONFIGS
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError, Task, compose_settings, read_settings
from experiments.pages.evidence.delivered import CLOSE, measure, own_portfolios, page, read_report
from experiments.pages.reference.portfolios import portfolios_page, read_formula
from experiments.pages.reference.regions import read_source
from experiments.runs.store import run_keys
from experiments.studies.compare import arms_of
from sim import INSTRUMENTS, Region, StrongchainModel
from sim.instruments import TAKEN_ON
from tests.support.places import EVIDENCE, FACTS, REFERENCE

pytestmark = pytest.mark.study

#: The collected facts; their documents lie outside the repository.

SHIPPED = {one.key: one for one in portfolios()}
KEYS = sorted(SHIPPED)
REGIONS = {one.key: one for one in region_files()}
PRACTICES = {one.id: one for one in practices()}
PLACES = """jiangsu guangdong dangtu langxi catl jinjiang xiamen hubei shandong liaoning shaanxi shanxi crrc_datong qingxu daizhou
            jiaxing chongqing wuhan datong luohe national anhui fujian jinzhong taizhou hydrogen""".split()
#: What the facts call the place of a fact that a portfolio cites, where it is not by the portfolio's own name.
WITHIN = {"jinzhong": ("山西经纬智能纺机", "山西太重榆次液压"), "hydrogen": ("陕西",), "anhui": ("安徽当涂", "安徽国科")}


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, str]]:
    if not FACTS.is_file():
        pytest.skip(f"the collected facts are not here ({FACTS}); STRONGCHAIN_FACTS=FILE says where they are")
    with FACTS.open(encoding="utf-8-sig", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def read_levers(key: str):
    """Levers of a portfolio with the ids, formula and quotations of their sources."""
    one = SHIPPED[key]
    for path, value in one.levers.items():
        ids, quotations, how = read_source(one.sources[path])
        yield path, value, ids, quotations, *read_formula(how)


# -- sources --------------------------------------------------------------------------------------------


def test_every_place_has_a_portfolio():
    assert set(KEYS) == set(PLACES)
    assert set(groups()["policy"]) == {*KEYS, *EMPTY}


@pytest.mark.parametrize("key", KEYS)
def test_every_lever_and_every_instrument_has_a_source(key):
    one = SHIPPED[key]
    assert not one.unsourced
    assert set(one.sources) == set(one.paths)  # nor is there a source for what it does not set
    for path, source in one.sources.items():
        read = read_source(source)[0]
        assert read or source.startswith("assumption: "), f"{key}: {path} has no source: {source!r}"


def test_a_lever_without_a_source_is_noticed(tmp_path):
    whole = (CONFIGS / "policy" / "hubei.yaml").read_text(encoding="utf-8")
    (tmp_path / "hubei.yaml").write_text(re.sub(r"(?m)^    instruments\.consortia\.grant:.*\n", "", whole), encoding="utf-8")
    assert read_portfolio(tmp_path / "hubei.yaml").unsourced == ["instruments.consortia.grant"]


@pytest.mark.parametrize("key", KEYS)
def test_a_portfolio_sets_levers_of_its_instruments_and_nothing_else(key):
    written = yaml.safe_load((CONFIGS / "policy" / f"{key}.yaml").read_text(encoding="utf-8"))
    one = SHIPPED[key]
    assert written.keys() <= {"defaults", "instruments", "portfolio"}
    assert set(written.get("instruments") or {}) <= set(one.instruments)
    assert one.key == key and re.search(r"^[\u4e00-\u9fff]+$", one.label_zh) and one.about


@pytest.mark.parametrize("key", KEYS)
def test_a_cited_practice_has_the_name_quoted_and_becomes_the_instrument(key):
    for path, source in SHIPPED[key].sources.items():
        ids, quotations, _ = read_source(source)
        assert len(ids) == len(quotations), f"{key}: {path} cites {ids} with {len(quotations)} quotations"
        for one, quotation in zip(ids, quotations, strict=True):
            if one.startswith("I"):
                assert quotation == PRACTICES[one].practice
                assert any(b.split(".")[0] == path.split(".")[1] for b in PRACTICES[one].becomes), f"{key}: {path} cites {one}"


@pytest.mark.parametrize("key", KEYS)
def test_a_cited_fact_belongs_to_the_place_and_has_the_quotation(key, facts):
    for path, source in SHIPPED[key].sources.items():
        ids, quotations, _ = read_source(source)
        for one, quotation in zip(ids, quotations, strict=True):
            if one.startswith("F"):
                assert one in facts, f"{key}: {path} cites {one}, which is no fact"
                assert quotation == facts[one]["quote"], f"{key}: {path} has other words than {one}"
                names = (SHIPPED[key].label_zh, *WITHIN.get(key, ()))
                assert any(name in facts[one]["place"] for name in names), f"{key}: {path} cites {one}, which is of {facts[one]['place']}"


@pytest.mark.parametrize("key", [one.key for one in portfolios() if one.reported])
def test_what_a_place_reports_is_what_the_facts_say(key, facts):
    for what, line in SHIPPED[key].reported.items():
        fact, quotation, number, months = read_report(line)
        instrument, count = what.split(".", 1)
        assert instrument in SHIPPED[key].instruments and count in (TAKEN_ON[0], *INSTRUMENTS[instrument].counted)
        assert (quotation, number) == (facts[fact]["quote"], float(facts[fact]["value"])) and 1 <= months <= 36, f"{key}: {what}"


def test_the_page_of_what_is_delivered_has_every_report():
    text = (EVIDENCE / "delivered.md").read_text(encoding="utf-8")
    for one in own_portfolios():
        for what, line in one.reported.items():
            fact, quotation, number, months = read_report(line)
            (row,) = [line for line in text.splitlines() if line.startswith(f"| `{one.key}` | {what} |")]
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert cells[2:6] == [fact, quotation, str(months), f"{number:,.0f}"]
            assert cells[8] or abs(float(cells[7].removesuffix(" %").replace("−", "-"))) <= 100 * CLOSE, (
                f"{one.key}: {what} differs, and no reason is told"
            )


def test_a_page_of_what_is_delivered_is_measured():
    (one,) = [one for one in own_portfolios() if one.key == "liaoning"]
    rows = measure(one, scale=0.1, burn_in=2)
    assert [row.what for row in rows] == list(one.reported)
    stations = next(row for row in rows if row.what == "one_stop_stations.stations")
    assert stations.delivered == 4 and not stations.close and f"{stations.apart:.2f}" == "-0.87"
    assert "| `liaoning` | one_stop_stations.stations | F112 |" in page(rows)


def computed(formula: str, known: dict[str, dict[str, str]]) -> float:
    """The value of a formula of facts, figures of regions and numbers."""
    numbers = re.sub(r"\b([a-z]+)\.(firms|chains)\b", lambda match: str(getattr(REGIONS[match[1]], match[2])), formula)
    numbers = re.sub(r"F\d{3}", lambda match: known[match[0]]["value"], numbers)
    assert re.fullmatch(r"[\d.e+\-*/() ]+", numbers), formula
    return float(eval(numbers))


@pytest.mark.parametrize("key", KEYS)
def test_a_lever_is_what_its_formula_gives(key, facts):
    for path, value, ids, _, formula, _ in read_levers(key):
        if formula:
            assert set(ids) == set(re.findall(r"F\d{3}", formula)), f"{key}: {path}"
            assert value == pytest.approx(computed(formula, facts), rel=0.005), f"{key}: {path}"


def test_a_number_that_was_read_has_a_formula_or_is_all_or_none():
    for key in KEYS:
        for path, value, ids, _, formula, how in read_levers(key):
            if ids and not formula:
                assert value in (0.0, 1.0) or isinstance(value, list), f"{key}: {path}"
                assert how


@pytest.mark.parametrize("key", [key for key in KEYS if "instruments.one_stop_stations.capacity" in SHIPPED[key].levers])
def test_the_cost_of_stations_goes_with_their_capacity(key):
    levers, default = SHIPPED[key].levers, INSTRUMENTS["one_stop_stations"]()
    part = levers["instruments.one_stop_stations.capacity"] / default.capacity
    assert levers["instruments.one_stop_stations.station_cost"] == pytest.approx(part * default.station_cost, rel=0.01)
    assert levers["instruments.one_stop_stations.running_cost"] == pytest.approx(part * default.running_cost, rel=0.01)


def test_no_absolute_sum_travels():
    assert not [path for one in portfolios() for path in one.levers if path.endswith((".budget", ".monthly_capacity"))]


def test_no_figure_of_a_document_sets_an_effect():
    """Scale comes from documents: who is reached, how many, how often, at what cost; what it changes does not."""
    scale = {"reach", "sizes", "projects", "grant", "members_pay", "per_1000_firms", "capacity", "online_share", "visits", "samples"}
    scale |= {"targeted", "prize", "ceiling"}
    sourced = {path.split(".")[2] for key in KEYS for path, _, ids, *_ in read_levers(key) if ids}
    assert sourced <= scale


# -- worlds ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def composed():
    """Every portfolio, and none, as the application composes them."""
    return {key: read_settings(compose_settings([f"policy={key}"])) for key in ["none", *KEYS]}


@pytest.fixture(scope="module")
def models_after(composed):
    """Models after three months under each portfolio, on common random numbers: firms enough for four lines of credit in 710."""
    start = StrongchainModel(Region().scaled(3), rng=1, burn_in=3)
    models = {}
    for key, settings in composed.items():
        models[key] = model = copy.deepcopy(start)
        model.adopt(settings.instruments)
        model.run(3)
    return models


def totals(model: StrongchainModel, *outcomes: str) -> np.ndarray:
    """What the three months recorded in total: of all outcomes or of some."""
    at = [model.record.outcomes.index(one) for one in outcomes or model.record.outcomes]
    return model.record.values[-3:, at, 0]


@pytest.mark.parametrize("key", KEYS)
def test_a_portfolio_switches_on_the_instruments_of_its_file_with_their_levers(key, composed):
    active = {ins.key: ins for ins in composed[key].instruments}
    assert set(active) == set(SHIPPED[key].instruments)
    for path, value in SHIPPED[key].levers.items():
        setting = getattr(active[path.split(".")[1]], path.split(".")[2])
        assert setting == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("key", KEYS)
def test_a_portfolio_differs_from_no_policy_and_from_every_other_portfolio(key, models_after):
    """In the totals of the run or, where a line of credit is open and no firm draws on it, in what was delivered."""
    delivered = {
        name: {one: programme.delivered(model) for one, programme in model.programmes.items()} for name, model in models_after.items()
    }
    for other, model in models_after.items():
        alike = np.array_equal(totals(models_after[key]), totals(model), equal_nan=True) and delivered[key] == delivered[other]
        assert alike == (key == other), other


def test_only_unused_lines_of_credit_leave_the_totals_unchanged(models_after):
    idle = [key for key in KEYS if np.array_equal(totals(models_after[key]), totals(models_after["none"]), equal_nan=True)]
    assert idle == ["dangtu"] and models_after["dangtu"].programmes["strong_chain_loans"].reached.size > 0


def test_a_programme_that_serves_others_alone_changes_no_defect(models_after):
    assert np.array_equal(totals(models_after["chongqing"], "field_dpu"), totals(models_after["none"], "field_dpu"))
    assert not np.array_equal(totals(models_after["guangdong"], "field_dpu"), totals(models_after["none"], "field_dpu"))


@pytest.mark.parametrize(
    ("region", "policy", "scale"), [("liaoning", "guangdong", 0.1), ("nanping", "national", 1), ("guangdong", "crrc_datong", 0.002)]
)
def test_any_region_takes_any_portfolio(region, policy, scale):
    settings = read_settings(compose_settings([f"region={region}", f"policy={policy}", f"scale={scale}"]))
    assert settings.world.region.key == region and len(settings.instruments) == len(SHIPPED[policy].instruments)
    model = StrongchainModel(settings.world.region, instruments=settings.instruments, rng=1, burn_in=1)
    model.run(1)
    assert 0.0 < model.field_dpu < 1.0


# -- arms, and the name ---------------------------------------------------------------------------------


def arms(*typed: str):
    overrides = ["region=sample", "months=12", *typed]
    return {arm.name: arm for arm in arms_of(read_settings(compose_settings(overrides)), overrides)}


def test_a_portfolio_replaces_the_stations_of_its_own_region():
    """In all arms of the region, so that they stay comparable; in another region its stations are added to those that stand."""
    own = arms("region=jiaxing", "policy=jiaxing", "scale=1")
    assert {arm.world.region.stations for arm in own.values()} == {0}
    assert next(ins for ins in own["all"].instruments if ins.key == "one_stop_stations").per_1000_firms * 7.722 == pytest.approx(
        17, abs=0.05
    )
    assert {arm.world.region.stations for arm in arms("region=jiaxing", "policy=guangdong", "scale=1").values()} == {17}
    assert {arm.world.region.stations for arm in arms("region=jiaxing", "policy=jiaxing", "region.stations=5", "scale=1").values()} == {5}
    typed = 'study.arms={nothing: ["instruments=[]"], own: ["policy=jiaxing"], there: ["policy=jiaxing", "region=liaoning"]}'
    mixed = arms("region=jiaxing", "scale=1", *preflight([typed]))
    assert [mixed[name].world.region.stations for name in ("nothing", "own", "there")] == [0, 0, 0]
    assert {arm.world.region.stations for arm in arms("region=jiaxing", "policy=jiaxing", "instruments=[cqo]", "scale=1").values()} == {17}


def test_a_portfolio_works_in_an_arm():
    typed = 'study.arms={nothing: ["instruments=[]"], guangdong: ["policy=guangdong"], there: ["policy=jiaxing", "region=jiaxing"]}'
    by_name = arms(*preflight([typed]))
    assert list(by_name) == ["nothing", "guangdong", "there"]
    assert [len(arm.instruments) for arm in by_name.values()] == [0, 9, 10]
    assert [arm.configuration["portfolio"]["key"] for arm in by_name.values()] == ["custom", "guangdong", "jiaxing"]


def test_the_arms_of_a_portfolio_are_nothing_each_instrument_and_all():
    by_name = arms("policy=hubei", "instruments.consortia.projects=3")
    assert set(by_name) == {"nothing", "all", *SHIPPED["hubei"].instruments}
    assert {ins.key: ins for ins in by_name["all"].instruments}["consortia"].projects == 3.0  # what is typed comes last
    assert by_name["all"].configuration["portfolio"]["key"] == "hubei"
    assert "portfolio" not in by_name["nothing"].configuration


def test_typed_instruments_decide_which_of_a_portfolio_are_on():
    by_name = arms("policy=guangdong", "instruments=[cqo]")
    assert set(by_name) == {"nothing", "cqo"}
    assert by_name["cqo"].instruments[0].reach == 0.308


def test_runs_do_not_depend_on_the_name():
    typed = arms("instruments=[assessment]", "instruments.assessment.share_of_counties=1.0")["assessment"]
    shipped = arms("policy=chongqing")["assessment"]
    assert typed.configuration["portfolio"]["key"] == "custom" and shipped.configuration["portfolio"]["key"] == "chongqing"
    task, keys = Task(12), [(1, 2)]
    assert run_keys([typed], keys, task) == run_keys([shipped], keys, task)


# -- mistakes -------------------------------------------------------------------------------------------


@pytest.fixture
def own_policy(tmp_path, monkeypatch):
    """Write a user-defined policy, policy=mine, where Hydra and the checks find it."""
    (tmp_path / "policy").mkdir()
    monkeypatch.setattr(files, "CONFIGS", tmp_path)
    monkeypatch.setattr(
        checks, "compose_settings", lambda overrides: compose_settings([*overrides, f"hydra.searchpath=[file://{tmp_path}]"])
    )
    checks._composed_once.cache_clear()

    def write(text: str, instruments: str = "[cqo]") -> None:
        head = f"# @package _global_\ndefaults:\n  - override /instruments: {instruments}\n"
        (tmp_path / "policy" / "mine.yaml").write_text(head + text, encoding="utf-8")

    yield write
    checks._composed_once.cache_clear()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("instruments: {cqo: {raech: 0.5}}", "there is no setting 'instruments.cqo.raech'; did you mean 'instruments.cqo.reach'?"),
        ("instruments: {cqo: {reach: 1.5}}", "instruments.cqo.reach is 1.5"),
        ("instruments: {stewards: {reach: 0.5}}", "stewards is not active"),
        ("portfolio: {lable: Mine}", "there is no setting 'portfolio.lable'; did you mean 'portfolio.label'?"),
        ("portfolio: {label: 3}", "portfolio.label is 3; it must be a text"),
    ],
)
def test_a_mistake_in_a_file_is_named(line, expected, own_policy):
    own_policy(f"{line}\n")
    with pytest.raises(SettingsError) as mistake:
        preflight(["policy=mine"])
    assert str(mistake.value).startswith("configs/policy/mine.yaml: ") and expected in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_an_unknown_instrument_is_named(own_policy):
    own_policy("", instruments="[cqoo]")
    with pytest.raises(
        SettingsError, match=r"configs/policy/mine\.yaml: instruments=cqoo: there is no instrument 'cqoo'.*did you mean 'cqo'\?"
    ):
        preflight(["policy=mine"])


def test_a_source_without_a_lever_is_named():
    config = compose_settings(["policy=hubei"])
    with open_dict(config):
        config.portfolio.sources["instruments.brands.reech"] = "assumption: none"
    with pytest.raises(SettingsError, match=r"instruments\.brands\.reech.*nor a lever; did you mean 'instruments\.brands\.reach'\?"):
        read_settings(config)


def test_an_unknown_policy_gets_the_nearest_name():
    with pytest.raises(SettingsError, match=r"policy=guandong: there is no policy 'guandong'; choose from .*did you mean 'guangdong'\?"):
        preflight(["policy=guandong"])


# -- what is printed ------------------------------------------------------------------------------------


def test_the_committed_page_is_what_is_generated():
    assert (REFERENCE / "portfolios.md").read_text(encoding="utf-8") == portfolios_page()


def test_the_page_has_every_lever_with_its_quotations():
    text = portfolios_page()
    for key, one in SHIPPED.items():
        part = text.split(f"(`policy={key}`)")[1].split("\n## ")[0]
        for path in one.paths:
            name = path.removeprefix("instruments.")
            (row,) = [line for line in part.splitlines() if line.replace("*", "").startswith(f"| `{name}` |")]
            assert all(quotation in row for quotation in read_source(one.sources[path])[1])


def test_every_portfolio_is_listed_and_explained(capsys):
    assert verbs.main(["policies"]) == 0
    listed = capsys.readouterr().out
    for key, one in SHIPPED.items():
        assert re.search(rf"^{key} .*{one.label_zh}", listed, re.MULTILINE)
    for name in ("policy.guangdong", "Guangdong", "policy=guangdong"):
        assert verbs.main(["explain", name]) == 0
        printed = capsys.readouterr().out
        assert "a portfolio of 9 instruments" in printed and "「3.79萬家企業建立首席質量官制度」" in re.sub(r"\s", "", printed)


def test_a_portfolio_is_completed():
    assert {"policy=guangdong", "policy=none", "policies"} <= set(verbs.typable())
