"""Names as values: what has a key may be typed by its Chinese or English name, and manifests hold keys alone."""

from __future__ import annotations

import pytest

from experiments.configuration.files import CONFIGS
from experiments.configuration.names import in_keys, keys_by_name
from experiments.configuration.overrides import read_override
from experiments.configuration.preflight import check_overrides
from experiments.configuration.settings import SettingsError
from sim.instruments import INSTRUMENTS


@pytest.mark.parametrize(
    ("key", "typed", "in_its_keys"),
    [
        ("region", "辽宁", "liaoning"),
        ("region", "辽宁省,广东", "liaoning,guangdong"),
        ("region", "山西晋中", "jinzhong"),
        ("region", "山西", "shanxi"),
        ("region", "Liaoning", "liaoning"),
        ("policy", "全国", "national"),
        ("instruments", "[首席质量官, 一站式服务站,强链贷]", "[cqo, one_stop_stations,strong_chain_loans]"),
        ("instruments", "[chief quality officers]", "[cqo]"),
        ("instruments", "[对标达标]", "[standards]"),
        ("study.regions", "[辽宁,福建南平]", "[liaoning,nanping]"),
        ("network", "文件", "file"),
        ("study", "校准", "calibration"),
        ("by", "[层级,规模]", "[tier,size]"),
        ("instruments.cqo.targeting", "最差优先", "worst_first"),
        ("instruments.cqo.sizes", "[小型,'大型']", "[small,'large']"),
    ],
)
def test_a_name_becomes_its_key(key, typed, in_its_keys):
    assert in_keys(key, typed) == in_its_keys


@pytest.mark.parametrize(
    ("key", "typed"),
    [("name", "辽宁"), ("network.path", "辽宁.csv"), ("region", "辽宁新区"), ("region", "大辽宁"), ("study.reference", "首席质量官")],
)
def test_what_is_no_name_of_a_key_stays_as_it_was_typed(key, typed):
    assert in_keys(key, typed) == typed


def test_what_hydra_and_the_manifest_get_are_keys():
    override = read_override("region=辽宁,广东")
    assert override.typed == "region=辽宁,广东"
    assert (override.readable, override.alone) == ("region=liaoning,guangdong", ("region=liaoning", "region=guangdong"))
    readable, mistakes = check_overrides(["instruments=[首席质量官]", "region=sample"])
    assert (readable, mistakes) == (["instruments=[cqo]", "region=sample"], [])


def test_an_unknown_name_is_refused_as_an_unknown_key_is():
    _, mistakes = check_overrides(["region=北京"])
    assert mistakes and "there is no region '北京'" in mistakes[0]
    with pytest.raises(SettingsError):
        read_override("region")


def test_every_region_portfolio_and_instrument_has_a_name_of_its_own():
    """But for those whose Chinese name belongs to two."""
    for group, options in (("region", [path.stem for path in CONFIGS.glob("region/*.yaml")]), ("instruments", list(INSTRUMENTS))):
        assert set(options) - set(keys_by_name(group).values()) <= {"sample"} | {key for key in options if key in keys_by_name(group)}


@pytest.mark.study
def test_arms_and_what_a_study_keeps_have_keys(tmp_path):
    from experiments import compare

    comparison = compare(
        "region=sample",
        "replicates=2",
        "months=2",
        "burn_in=0",
        "study.arms={nothing: ['instruments=[]'], a: ['instruments=[首席质量官]']}",
    )
    assert comparison.manifest["arms"]["a"]["instruments"]["cqo"]["active"]
    assert not comparison.manifest["arms"]["a"]["instruments"]["standards"]["active"]
