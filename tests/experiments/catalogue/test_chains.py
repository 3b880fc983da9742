"""The named chains of configs/chain: each loads, runs and explains itself in both languages, with a source for every figure."""

from __future__ import annotations

import csv
import re

import pytest

from experiments.catalogue.chains import chain_files
from experiments.catalogue.settings import region_files
from experiments.commands import verbs
from experiments.configuration.declared import groups
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError, compose_settings, read_settings
from experiments.languages.wording import use_language
from experiments.pages.reference.regions import read_source
from experiments.studies.compare import arms_of
from sim.build.chain import NamedChain
from sim.parameters import ParameterError, declared
from tests.support.places import FACTS

pytestmark = pytest.mark.study

CHAINS = {one.key: one for one in chain_files()}


def settings(*overrides: str):
    return read_settings(compose_settings(preflight(["region=sample", "instruments=[cqo]", *overrides])))


def test_there_are_thirteen_chains_at_least():
    assert len(CHAINS) >= 13 and set(groups()["chain"]) == set(CHAINS)
    assert {"氢能", "羊乳", "光电显示", "竹", "鞋服", "老陈醋", "汾酒", "轨道交通", "工业机器人", "镁铝", "液压", "食品"} <= {
        c.label_zh for c in CHAINS.values()
    }
    regions = {one.key for one in region_files()}
    assert all(one.home in regions for one in CHAINS.values())


@pytest.mark.parametrize("key", sorted(CHAINS))
def test_every_figure_has_a_source(key):
    one = CHAINS[key]
    assert one.key == key and set(one.sources) == {f.name for f in declared(NamedChain)}
    assert len(one.makes) == len(one.makes_zh) == len(one.tier_shares) + 1
    assert re.search(r"^[\u4e00-\u9fff]+$", one.label_zh)
    for name, source in one.sources.items():
        assert source.startswith("assumption") or read_source(source)[0], f"{key}.{name}"
    if FACTS.is_file():
        known = {row["id"]: row for row in csv.DictReader(FACTS.open(encoding="utf-8-sig", newline=""))}
        for name, source in one.sources.items():
            for fact, words in zip(*read_source(source)[:2], strict=True):
                assert known[fact]["quote"] == words and float(known[fact]["value"]) == getattr(one, name), f"{key}.{name}"


@pytest.mark.parametrize("key", sorted(CHAINS))
def test_every_chain_runs_beside_a_region_with_all_checks(key):
    made = settings(f"chain={key}", "region.firms=400", "scale=1", "burn_in=1")
    assert [one.key for one in made.world.named] == [key] and made.world.region.chains == 1
    model = made.world.build((1, 2), check=True)
    model.run(1)
    assert model.network.chains == (CHAINS[key].label,) and model.firms.is_leader.sum() == CHAINS[key].leaders


@pytest.mark.parametrize("key", sorted(CHAINS))
def test_every_chain_explains_itself_in_both_languages(key, capsys):
    one = CHAINS[key]
    for code, goods, why in (("en", one.makes, "Why loss begins where it does"), ("zh", one.makes_zh, "损失为何始于此处")):
        for name in (f"chain={key}", one.label_zh):
            with use_language(code):
                assert verbs.main(["explain", name]) == 0
            printed = re.sub(r"\s+", "", capsys.readouterr().out)
            assert re.sub(r"\s", "", why) in printed and all(re.sub(r"\s", "", good) in printed for good in goods)
            assert f"chain={key}" in printed


def test_chains_are_listed(capsys):
    assert verbs.main(["chains"]) == 0
    listed = capsys.readouterr().out
    assert all(re.search(rf"^{key} ", listed, re.MULTILINE) for key in CHAINS)
    assert {"chain=hydrogen", "chains"} <= set(verbs.typable())


def test_chains_are_chosen_by_key_or_name_one_or_several_and_by_arm():
    assert [one.key for one in settings("chain=氢能").world.named] == ["hydrogen"]
    both = settings("chain=[hydrogen,goat_milk]", "scale=1").world
    assert [one.key for one in both.named] == ["goat_milk", "hydrogen"] and both.region.leaders == 7
    assert settings("chain=hydrogen", "chain.hydrogen.leaders=5", "scale=1").world.region.leaders == 5
    typed = ["region=sample", "scale=1", *preflight(['study.arms={nothing: ["instruments=[]"], there: ["chain=bamboo"]}'])]
    arms = {arm.name: arm for arm in arms_of(read_settings(compose_settings(typed)), typed)}
    assert arms["nothing"].world.named == () and arms["there"].world.region.firms == 220


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("chain=hydrogin",), "there is no chain 'hydrogin'.*did you mean 'hydrogen'"),
        (
            ("chain=hydrogen", "chain.hydrogen.leeders=3"),
            r"there is no setting 'chain\.hydrogen\.leeders'; did you mean 'chain\.hydrogen\.leaders'",
        ),
        (("chain.bamboo.leaders=3",), "chain 'bamboo' is not chosen; type chain=bamboo"),
        (("chain=bamboo", "chain.bamboo.clustering=2"), r"chain\.bamboo\.clustering is 2"),
        (("chain=bamboo", "network=synthetic"), "chain=bamboo: a chain is generated"),
    ],
)
def test_a_mistake_gets_one_line(typed, said):
    with pytest.raises((SettingsError, ParameterError), match=said) as mistake:
        settings(*typed)
    assert "\n" not in str(mistake.value)


def test_a_region_of_fewer_chains_or_counties_keeps_the_first_names():
    typed = preflight(["region=shanxi", "region.chains=1", "region.counties=2", "scale=1"])
    region = read_settings(compose_settings(typed)).world.region
    assert region.chain_names == ("Rail transit",) and region.county_names == ("Datong", "Jinzhong")
