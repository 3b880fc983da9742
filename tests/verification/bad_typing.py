"""Mutated command lines: verbs and their words, flags, settings, sweeps, arms, and keys that reach for what is not the user's to set."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from tests.support.fuzzing import BASE, TINY, Try
from tests.support.mutations import nasty

__all__ = ["typed_try"]

VERBS = ("results", "rerun", "regions", "policies", "instruments", "experiments", "parameters", "explain", "completion", "help", "verify")
WORDS = (
    "cqo", "region", "months", "luohe", "field_dpu", "bash", "zsh", "words", "fish", "explain", "results", "results/OTHER",
    "results/a file", "results/linked", "results/loop", "results/foreign", "OTHER", "nowhere", "outside", "link.txt", "--replicate",
    "--replicate=1", "--replicate=0", "--replicate=٣", "--arm", "--arm=nothing", "-h", "--help", "--hepl", "-m", "1",
    "instruments.cqo.reach", "instruments", "",
)  # fmt: skip
FLAGS = (
    "-m", "--multirun", "-r", "--run", "-c", "--cfg", "--cfg=job", "--cfg=hydra", "--cfg=all", "--info", "--info=defaults",
    "--info=plugins", "--info=searchpath", "-i", "--package", "--package=study", "-p", "--resolve", "--version", "--hydra-help", "--help",
    "-h", "--shell-completion", "-sc", "--config-path=/", "-cp", "--config-dir", f"--config-dir={BASE}/outside", "--config-name=x",
    "-cn=strongchain", "--experimental-rerun", "--experimental-rerun=results/OTHER/config.pickle", "--", "-", "---", "-x", "--multirun=1",
    "-mm", "-c=job", "--cfg job", "—help",
)  # fmt: skip
#: Settings, with values that are right and small.
SETTINGS = {
    "months": "3", "replicates": "3", "seed": "7", "burn_in": "2", "window": "2", "scale": "0.01", "check": "true", "quiet": "false",
    "by": "[size]", "save": "[series]", "name": "mine", "region": "sample", "network": "synthetic", "policy": "none", "study": "compare",
    "table_heads": "labels", "parallel": "serial", "parameters": "set_01",
    "+experiment": "policy_mix", "instruments": "[cqo]", "instruments.cqo.reach": "0.5",
    "instruments.cqo.sizes": "[small]", "region.stations": "2", "region.key": "mine", "region.label": "Mine", "region.label_zh": "我的",
    "region.chain_names": "[a,b,c,d]", "region.sources": "{firms: assumption}", "network.firms": "20", "network.tier_shares": "[0.5,0.5]",
    "network.mean_suppliers": "2", "network.path": "link.txt", "network.filter": "{a: b}",
    "study.arms": "{a: [instruments=[cqo]], b: []}", "study.reference": "nothing", "study.budget": "1e5", "study.split": "{a: {cqo: 1}}",
    "study.only": "[nothing]", "study.correction": "holm", "portfolio.key": "mine", "portfolio.sources": "{}", "parallel.workers": "1",
    "parallel.backend": "sequential", "study.regions": "[sample]", "parameters.map_noise": "0.1",
}  # fmt: skip
#: What reaches for what is not the user's to set, or for a folder that is taken. (hydra.run.dir may name any other folder.)
REACHING = (
    "hydra.run.dir=results/OTHER", "hydra.run.dir=results/linked", "hydra.run.dir=", "hydra.run.dir=results/a file/x",
    "hydra.job.chdir=true", "hydra.output_subdir=../../../evil", "hydra/launcher=joblib", "hydra/job_logging=default",
    "hydra/hydra_logging=default", "hydra.verbose=true", "hydra.job.env_set.EVIL=1", "hydra.job.env_copy=[SECRET_TOKEN]",
    "+hydra.callbacks.x._target_=os.system", "hydra.callbacks.collect._target_=os.abort", "hydra.searchpath=[file:///]",
    f"hydra.searchpath=[file://{BASE}/outside]", "hydra.sweeper.params={seed: 1}", "hydra.mode=MULTIRUN", "hydra.runtime.output_dir=..",
    "+_target_=os.abort", "+study._target_=builtins.print", "+region._target_=os.system", "+study._partial_=true", "~region",
    "~study.arms", "+defaults=[x]", "_self_=1", "name=../evil", "name=../../outside/evil", f"name={BASE}/outside/evil", "name=OTHER",
    "name=OTHER/x", "name=linked", "name=linked/x", "name=loop", "'name=a file'", "name=a file", "name=runs", "name=foreign", "name=.",
    "name=..", "name=", "name=''", "name=~", "name=$HOME", "name=${oc.env:SECRET_TOKEN}", "name=${oc.env:HOME}", "name=${now:%s}",
    "name=x${oc.env:SECRET_TOKEN}y", "name=${hydra.runtime.cwd}", "name=${oc.decode:SECRET_TOKEN}", "name=${python_version:}", "name=a/b",
    "name=a\\b", "name=.hidden", "name=-m", "name=CON", "name=" + "长" * 100, "name=" + "x" * 300, "name=a\nb", "name=\x1b[2J",
    "region.label=${oc.env:SECRET_TOKEN}", "portfolio.key=${oc.env:SECRET_TOKEN}", "network.path=${oc.env:SECRET_TOKEN}",
    "network.path=/proc/self/environ", "network.path=/dev/zero", "network.path=~/diary.txt", "seed=${oc.env:SECRET_TOKEN}",
    "study.arms={a: ['name=../evil']}", "study.arms={a: ['hydra.run.dir=../evil']}",
    "study.arms={a: ['region.label=${oc.env:SECRET_TOKEN}']}", "study.arms={${oc.env:SECRET_TOKEN}: []}",
    "study.arms.${oc.env:SECRET_TOKEN}=[]", "study.arms={../../evil: []}", f"study.arms={{{BASE}/outside/evil: []}}",
    "study.arms={a: ['study.arms={b: []}']}", "region.sources={a: ${oc.env:SECRET_TOKEN}}", "parallel.backend=dask",
    "parallel=${oc.env:SECRET_TOKEN}", "region=../../outside/x", "policy=../region/luohe", f"region={BASE}/outside/x",
    "region@study=sample", "+region@_global_=sample", "policy@hydra=none", "+experiment@hydra=policy_mix", "/region=sample",
    "region/=sample", "instruments@x=[cqo]",
)  # fmt: skip
#: Values that are several, or seem so.
SWEEPS = (
    "range(1,3)", "range(3,1)", "range(1,1000000000)", "range(1,1e300)", "range(1,2,0)", "range(0,1,1e-9)", "range(1,3,-1)", "range()",
    "range(a,b)", "glob(*)", "glob([*,x])", "choice(1,2)", "choice()", "choice(choice(1,2))", "sort(3,1)", "sort(3,a)", "shuffle(1,2)",
    "shuffle(range(1,100000000))", "interval(0,1)", "tag(a,choice(1,2))", "int(1.5)", "float(x)", "str(1,2)", "bool(1)", "int(1,2)",
    "1,1", "1,,2", ",", "1,", "a,b", "[1,2],[3]", "{a:1},{b:2}", "1,2,x", "extend_list(a)", "json_str(1)", "eval(1)",
    "range(1,3),range(1,3)", "1," * 2_000 + "1",
)  # fmt: skip


def _value(value: str, draw: random.Random) -> str:
    """Spoil the form of a value."""
    ways: tuple[Callable[[], str], ...] = (
        lambda: nasty(draw),
        lambda: value + draw.choice(("'", '"', "]", "}", ",", " ", ":", "=", "\\", "${", "\n")),
        lambda: draw.choice(("[", "{", "'", '"', "(", "-", "+", "!", "&", "*")) + value,
        lambda: value[: draw.randrange(len(value) + 1)],
        lambda: f"[{value}]" * draw.choice((1, 2)),
        lambda: "[" * (deep := draw.choice((3, 60, 900))) + value + "]" * deep,
        lambda: "{a: " * (deep := draw.choice((2, 60, 900))) + value + "}" * deep,
        lambda: draw.choice(("null", "true", "''", "[]", "{}", "-1", "1e400", "nan", "inf", "0x1F", "1_0", "1e-9", "99999999999999999999")),
        lambda: "".join(draw.sample(value, len(value))),
        lambda: value * draw.choice((2, 40)),
        lambda: draw.choice(SWEEPS),
    )
    return draw.choice(ways)()


def _key(key: str, draw: random.Random) -> str:
    """Spoil the form of a key."""
    ways: tuple[Callable[[], str], ...] = (
        lambda: key.upper(),
        lambda: draw.choice(("+", "++", "~", "@", "/", ".", "-", "'", " ", "\u202e", "\ufeff")) + key,
        lambda: key + draw.choice((".", "..", "@", "@x", ".x", "[0]", "/", " ", "'", ":", "\u200b")),
        lambda: key.replace(".", draw.choice(("..", "/", " ", "。"))),
        lambda: key[:-1],
        lambda: "".join(draw.sample(key, len(key))),
        lambda: ".".join([key] * draw.choice((2, 500))),
        lambda: nasty(draw),
    )
    return draw.choice(ways)()


def _override(draw: random.Random, told: list[str]) -> str:
    chance = draw.random()
    if chance < 0.25:
        told.append("reaching")
        return draw.choice(REACHING)
    key = draw.choice(list(SETTINGS))
    value = SETTINGS[key]
    if chance < 0.45:
        told.append("a key spoilt")
        return f"{_key(key, draw)}={value}"
    if chance < 0.5:
        told.append("no value")
        return draw.choice((key, f"{key}=", "=", "", "=1", f"{key}:{value}", f"{key} = {value}"))
    told.append("a value spoilt")
    return f"{key}={_value(value, draw)}"


def _of_verb(draw: random.Random, told: list[str]) -> list[str]:
    told.append("verb")
    verb = draw.choice(VERBS)
    if draw.random() < 0.1:
        verb = draw.choice((verb.upper(), verb[:-1], verb + "s", f"--{verb}", f" {verb}", verb[::-1]))
    words = [draw.choice(WORDS) if draw.random() < 0.5 else nasty(draw) for _ in range(draw.choice((0, 1, 1, 1, 2, 3)))]
    if draw.random() < 0.1:
        words.append(_override(draw, told))
    return [verb, *words]


def _of_settings(draw: random.Random, told: list[str]) -> list[str]:
    told.append("settings")
    spoilt = [_override(draw, told) for _ in range(draw.choice((1, 1, 2)))]
    keys = {one.split("=")[0].lstrip("+~") for one in spoilt}
    reaching = "reaching" in told  # is run if it is not refused
    kept = [one for one in TINY if one.split("=")[0] not in keys] if reaching or draw.random() < 0.4 else []
    flags = [draw.choice(FLAGS) for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))] if not reaching or draw.random() < 0.2 else []
    if flags:
        told.append("flags")
    arguments = [*kept, *spoilt]
    if not kept or (not reaching and draw.random() < 0.7):  # so that nothing is run, and all else is checked
        arguments = [*(one for one in arguments if one != "months=2"), "months=0"]
        told.append("refused for its months")
    for flag in flags:
        arguments.insert(draw.randrange(len(arguments) + 1), flag)
    return arguments


def _of_sweep(draw: random.Random, told: list[str]) -> list[str]:
    told.append("sweep")
    key = draw.choice(
        ("seed", "seed", "months", "name", "region", "study.arms", "instruments", "region.label", "network.filter", "nmae", "+experiment")
    )
    wrong = draw.random() < 0.7
    kept = [one for one in TINY if not one.startswith(f"{key}=") and not (wrong and one == "window=1")]
    swept = [f"{key}={draw.choice(SWEEPS)}"]
    if draw.random() < 0.3:
        swept.append(_override(draw, told))
    if wrong:  # so that nothing is run, and all else is checked
        swept.append("window=0")
    return ["-m", *kept, *swept]


def typed_try(draw: random.Random) -> Try:
    """Make a command line."""
    told: list[str] = []
    arguments = draw.choices((_of_verb, _of_settings, _of_sweep), weights=(45, 38, 17))[0](draw, told)
    if draw.random() < 0.04:
        arguments.append(os.fsdecode(bytes(draw.randrange(128, 256) for _ in range(5))))
        told.append("bytes that are no UTF-8")
    if draw.random() < 0.03:
        arguments += [f"x{k}=1" for k in range(draw.choice((30, 300)))]
        told.append("many words")
    if draw.random() < 0.03:
        arguments.append(draw.choice(("a", "[", "名", "a=")) * 30_000)
        told.append("a long word")
    return Try([argument.replace("\0", "") for argument in arguments], told=told)
