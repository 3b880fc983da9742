"""Mutated files of configs/policy, configs/experiment and configs/region, chosen by a study or read by a verb."""

from __future__ import annotations

import random

from tests.support.fuzzing import BASE, TINY, Try
from tests.support.mutations import mutated_bytes, nasty

__all__ = ["configuration_try"]

POLICY = """# @package _global_
# A portfolio of one's own, for a test.
defaults:
  - override /instruments: [cqo]
instruments:
  cqo:
    reach: 0.5
portfolio:
  key: fuzzed
  label: Fuzzed
  label_zh: 测试
  sources:
    instruments.cqo: "assumption: for a test"
    instruments.cqo.reach: "assumption: for a test"
"""
EXPERIMENT = """# @package _global_
# Does anything come of it?
defaults:
  - override /instruments: [cqo]
seed: 3        # assumption
study:
  correction: holm
  arms:
    nothing: ['instruments=[]']
    officers: ['instruments=[cqo]', 'instruments.cqo.reach=0.5']
"""
REGION = """# A region of a test.
key: fuzzed
label: Fuzzed
label_zh: 测试
chains: 2
leaders: 3
firms: 40
chain_heads: 2
counties: 1
stations: 1
station_capacity: 2.0
median_revenue: 15.0e6
chain_names: [cars, 电池]
sources:
  firms: "assumption: for a test"
"""
FILES = {"policy": POLICY, "experiment": EXPERIMENT, "region": REGION}

#: A text that is short, and long beyond any memory when its aliases are written out.
LAUGHS = "a: &a [x, x]\nb: &b {}\nc: &c {}\nd: &d {}\ne: &e {}\nf: &f {}\ng: &g {}\nh: {}\n"
#: Nodes that are put into a file at the top.
NODES = (
    f"hydra:\n  run:\n    dir: {BASE}/outside/evil\n", "hydra:\n  run:\n    dir: ../evil\n", "hydra:\n  output_subdir: ../../evil\n",
    "hydra:\n  job:\n    chdir: true\n", f"hydra:\n  sweep:\n    dir: {BASE}/outside/evil\n    subdir: x\n",
    "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 1,2\n",
    f"hydra:\n  callbacks:\n    evil:\n      _target_: os.mkdir\n      path: {BASE}/outside/evil\n",
    f"hydra:\n  callbacks:\n    collect:\n      _target_: os.mkdir\n      path: {BASE}/outside/evil\n",
    "hydra:\n  launcher:\n    _target_: os.abort\n", "hydra:\n  searchpath: ['file:///']\n", "hydra:\n  job:\n    env_set: {PATH: ''}\n",
    "hydra:\n  job:\n    env_copy: [SECRET_TOKEN]\n",
    "hydra:\n  job_logging:\n    handlers: {file: {class: logging.FileHandler, filename: ../evil.log}}\n    root: {handlers: [file]}\n",
    "hydra: null\n", "hydra: 3\n", "_target_: os.abort\n", f"_target_: os.mkdir\n_args_: ['{BASE}/outside/evil']\n",
    "study:\n  _target_: os.abort\n", "instruments:\n  cqo:\n    _target_: os.abort\n", "region:\n  _target_: sim.build.region.Region\n",
    "name: ../evil\n", f"name: {BASE}/outside/evil\n", "name: OTHER\n", "name: linked\n", "name: ${oc.env:SECRET_TOKEN}\n",
    "name: x-${oc.env:SECRET_TOKEN}\n", "name: ${oc.env:HOME}/evil\n", "name: ${now:%Y}/../../evil\n", "name: ${hydra:runtime.cwd}\n",
    "name: ${hydra.job.name}\n", "name: ''\n", "name: null\n", "seed: ${oc.env:SECRET_TOKEN}\n", "seed: ${seed}\n",
    "months: ${window}\nwindow: ${months}\n", "seed: ${oc.decode:${oc.env:SECRET_TOKEN}}\n", "label: ${oc.env:SECRET_TOKEN}\n",
    "region:\n  label: ${oc.env:SECRET_TOKEN}\n", "portfolio:\n  key: ${oc.env:SECRET_TOKEN}\n",
    "portfolio:\n  sources:\n    instruments.cqo: ${oc.env:SECRET_TOKEN}\n", "seed: ${oc.create:{a:1}}\n", "seed: ${nowhere:1}\n",
    "seed: ${oc.select:seed}\n", "seed: ???\n", "seed: '???'\n", "study: ???\n", "region: ???\n", "seed: 1\nseed: 2\n", "seed: 0o7\n",
    "seed: 1:30\n", "seed: 1_000\n", "seed: !!int '5'\n", "seed: !!python/object/apply:os.system ['id']\n",
    "seed: !!python/name:os.abort\n", "seed: !!binary aGVsbG8=\n", "seed: !!set {a, b}\n", "seed: !!timestamp 2001-01-01\n",
    "seed: 2026-01-01\n", "seed: !evil x\n", "seed: " + "9" * 5_000 + "\n", "seed: .inf\n", "seed: .nan\n", "seed: 1e999\n",
    "seed: [1, 2]\n", "seed: {a: 1}\n", "seed: yes\n", "months: 0\n", "months: 2.5\n", "replicates: -3\n", "replicates: '2'\n",
    "scale: .inf\n", "by: size\n", "by: [[size]]\n", "by: {size: 1}\n", "save: [firms, firms]\n", "quiet: maybe\n", "quiet: on\n",
    "check: ~\n",
    LAUGHS.format(*("[" + ", ".join([f"*{letter}"] * 8) + "]" for letter in "abcdefg")),
    "a: &a {x: 1}\nb: &b {p: *a, q: *a}\nc: &c {p: *b, q: *b}\nd: &d {p: *c, q: *c}\ne: &e {p: *d, q: *d}\nf: &f {p: *e, q: *e}\n",
    "a: &a [*a]\n", "a: &a {b: *a}\n", "a: *nowhere\n", "base: &base {reach: 0.5}\ninstruments:\n  cqo:\n    <<: *base\n",
    "<<: {seed: 4}\n", "<<: [1, 2]\n", "<<: x\n", "a: " + "[" * 300 + "]" * 300 + "\n", "a: " + "[" * 5_000 + "]" * 5_000 + "\n",
    "a: " + "{b: " * 400 + "1" + "}" * 400 + "\n", "\tseed: 1\n", "seed:\t1\n", "? [a, b]\n: 1\n", "? {a: 1}\n: 2\n", "1: 2\n",
    "null: 1\n", "true: 1\n", "1.5: 1\n", "'': 1\n", "? \n: 1\n", "a.b: 1\n", "'a b': 1\n", "study.arms: {}\n", "region.label: x\n",
    "instruments.cqo.reach: 0.1\n", "instruments: [cqo]\n", "instruments: null\n", "instruments: 3\n", "instruments:\n  - cqo\n",
    "instruments:\n  nowhere:\n    reach: 1\n", "instruments:\n  cqo: null\n", "instruments:\n  cqo: 0.5\n",
    "instruments:\n  cqo:\n    reach: [0.5]\n", "instruments:\n  cqo:\n    reach: 1e99\n", "instruments:\n  cqo:\n    active: maybe\n",
    "instruments:\n  cqo:\n    sizes: tiny\n", "study: compare\n", "study: null\n", "study: [1]\n", "study:\n  kind: exchange\n",
    "study:\n  arms: null\n", "study:\n  arms: []\n", "study:\n  arms: x\n", "study:\n  arms: {a: x}\n", "study:\n  arms: {a: [1]}\n",
    "study:\n  arms: {a: [null]}\n", "study:\n  arms: {a: {b: c}}\n", "study:\n  arms: {1: []}\n", "study:\n  arms: {null: []}\n",
    "study:\n  arms: {../../evil: ['instruments=[]'], b: []}\n", "study:\n  arms: {'a/b': [], c: []}\n",
    "study:\n  arms: {A: [], a: []}\n", "study:\n  arms: {a: ['name=../evil'], b: []}\n",
    "study:\n  arms: {a: ['hydra.run.dir=../evil'], b: []}\n", "study:\n  arms: {a: ['region.label=${oc.env:SECRET_TOKEN}'], b: []}\n",
    "study:\n  arms: {'${oc.env:SECRET_TOKEN}': [], b: []}\n", "study:\n  arms: ${oc.env:SECRET_TOKEN}\n",
    "study:\n  reference: nobody\n", "study:\n  budget: 0\n", "study:\n  budget: 1e5\n", "study:\n  split: {a: {cqo: 2}}\n",
    "study:\n  only: [a]\n", "portfolio: null\n", "portfolio: x\n", "portfolio:\n  sources: [a]\n", "portfolio:\n  sources: {a: 1}\n",
    "portfolio:\n  sources: {a: {b: c}}\n", "portfolio:\n  label: [x]\n", "portfolio:\n  label: '\\e[2J\\u202e'\n",
    "portfolio:\n  key: ../../evil\n", "sources: null\n", "sources: [a]\n", "sources: {firms: 1}\n", "sources: {firms: {a: b}}\n",
    "sources: {nowhere: x}\n", "chain_names: x\n", "chain_names: [a]\n", "chain_names: [a, a]\n", "chain_names: ['\\u202e', '$x_{$']\n",
    "chain_names: [[a], [b]]\n", "firms: -1\n", "firms: 1e400\n", "firms: x\n", "key: [x]\n", "key: ../evil\n", "label: {a: b}\n",
    "parameters:\n  map_noise: x\n", "parallel:\n  backend: dask\n", "parallel:\n  workers: 0\n", "network:\n  path: /dev/zero\n",
    "network:\n  kind: file\n", "network:\n  firms: 25\n", "nowhere: 1\n", "defaults: null\n", "--- \nseed: 1\n", "...\n", "---\n",
    "%YAML 9.9\n---\n", "%TAG ! tag:x,2026:\n", "@x\n", "`x`\n", "- a\n- b\n", "{{ x }}: 1\n", "{% x %}\n", "x: |\n  a\n b\n", "x: >-\n",
    "'unclosed\n", '"\\x"\n', "[unclosed\n", "key: : :\n", "a: b: c\n",
)  # fmt: skip
#: Lists of defaults that take the place of the file's own, or that are put before it.
DEFAULTS = (
    "[]", "null", "x", "3", "{region: sample}", "[null]", "[3]", "[[a]]", "[_self_]", "[_self_, _self_]", "[strongchain]",
    "[/strongchain]", "[fuzzed]", "[/policy/fuzzed]", "[/experiment/fuzzed]", "[none]", "[../policy/none]", "[/policy/none]",
    "[/region/sample]", "[/region/sample@region]", "[/region/sample@_global_]", "[region: sample]", "[/region: sample]",
    "[override /region: sample]", "[override region: sample]", "[/region@hydra: sample]", "[/policy@instruments: none]",
    "[optional /region: nowhere]", "[optional /policy: fuzzed]", "[/region: nowhere]", "[override /region: nowhere]",
    "[override /region: null]", "[override /instruments: null]", "[override /instruments: cqo]", "[override /instruments: [cqo, cqo]]",
    "[override /instruments: [nowhere]]", "[override /instruments: {a: b}]", "[override /instruments: [[cqo]]]",
    "[override /hydra/launcher: basic]", "[override /hydra/job_logging: default]", "[override /hydra/job_logging: stdout]",
    "[override /hydra/hydra_logging: disabled]", "[override /hydra/output: default]", "[/hydra/job_logging: default]",
    "[override /hydra/sweeper: basic]", "[override /hydra/help: default]", f"[{BASE}/outside/thesis.txt]", "[../../outside/thesis]",
    "['${oc.env:SECRET_TOKEN}']", "[override /region: '${oc.env:SECRET_TOKEN}']", "[/region: '${oc.env:SECRET_TOKEN}']",
    "[override /policy: '${region}']", "[override /region: ???]", "[override /study: calibration]", "[override /study: exchange]",
    "[override /network: file]", "[override /parallel: loky]", "[override /experiment: policy_mix]", "[/experiment: policy_mix]",
    "[pkg://configs/strongchain]", "[file:///etc/passwd]", "[override /region: sample, override /region: luohe]",
    "[override /region: sample, extra: 1, more: 2]", "[{override /region: sample, b: c}]", "[override: x]",
    "['override /region': sample]", "[override /instruments@x: [cqo]]", "[/instruments: [cqo]]", "[/instruments@study: cqo]", "[/schema]",
    "[schema]", "[override /schema: x]", "[policy: custom]", "[/policy: custom]", "[/study: compare]",
)  # fmt: skip
HEADS = (
    "# @package _global_\n", "# @package hydra\n", "# @package study\n", "# @package _group_\n", "# @package _here_\n", "# @package\n",
    "# @package region.x\n", "# @package _global_.hydra\n", "# @package ../x\n", "#@package _global_\n", "# @package _global_ x\n", "",
    "# @package _name_\n", "\n\n# @package _global_\n", "# @package _global_\n# @package hydra\n", "# @package ${oc.env:SECRET_TOKEN}\n",
)  # fmt: skip
#: How a file is read; FILE stands for the choice of it.
WAYS = (
    ["FILE"], ["FILE"], ["FILE"], ["FILE"], ["FILE", "-m"], ["FILE", "--cfg", "job"], ["FILE", "--cfg", "hydra"],
    ["FILE", "--info", "defaults"], ["FILE", "--cfg", "job", "--resolve"], ["FILE", "--help"], ["FILE", "months=0"],
    ["FILE", "study.arms={a: [OPTION], b: []}"], ["study.arms={a: [OPTION], b: []}"],
)  # fmt: skip
#: Verbs that read every file of a group; they take less time.
VERBS = (
    ["regions"], ["policies"], ["experiments"], ["explain", "fuzzed"], ["explain", "cqo"], ["parameters", "reach"], ["help"],
    ["completion", "words", "", "x"],
)  # fmt: skip


def configuration_try(draw: random.Random) -> Try:
    """Make a file of a group, and a command that reads it."""
    told: list[str] = []
    group = draw.choice(list(FILES))
    told.append(group)
    text = FILES[group]
    for _ in range(draw.choice((1, 1, 1, 2))):
        match draw.randrange(10):
            case 0 | 1 | 2 | 3:
                node = draw.choice(NODES)
                top = node.split(":")[0]
                if group != "region" and draw.random() < 0.7 and f"\n{top}:" in text:  # in place of the file's own
                    text = _without(text, top)
                text = text + node if draw.random() < 0.9 else node + text
                told.append(f"node {top[:20]!r}")
            case 4 | 5:
                listed = draw.choice(DEFAULTS)
                head, _, rest = _without(text, "defaults").partition("\n")
                text = f"{head}\ndefaults: {listed}\n{rest}"
                told.append(f"defaults {listed[:40]}")
            case 6:
                head = draw.choice(HEADS)
                text = head + (text.partition("\n")[2] if text.startswith("# @") else text)
                told.append(f"head {head.strip()!r}")
            case 7:
                lines = text.splitlines(keepends=True)
                at = draw.randrange(len(lines))
                name, colon, _ = lines[at].partition(": ")
                lines[at] = f"{name}{colon or ': '}{nasty(draw)}\n"
                text = "".join(lines)
                told.append("a strange value")
            case _:
                told.append("bytes")
    raw = text.encode("utf-8", "surrogatepass")
    for _ in range(told.count("bytes")):
        raw = mutated_bytes(raw, draw, told)
    option = {"policy": "policy=fuzzed", "region": "region=fuzzed", "experiment": "+experiment=fuzzed"}[group]
    way = [argument.replace("FILE", option).replace("OPTION", option) for argument in draw.choice(VERBS if draw.random() < 0.55 else WAYS)]
    if any("=" in argument for argument in way):
        own = {"region": ("region",), "policy": ("instruments",), "experiment": ("instruments",)}[group]
        typed = [one for one in TINY if one.split("=")[0] not in {*own, *(argument.split("=")[0] for argument in way)}]
        way = [*typed, *way, *(["name=study"] if draw.random() < 0.5 else [])]
    return Try(way, {f"tree/configs/{group}/fuzzed.yaml": raw}, told=told)


def _without(text: str, top: str) -> str:
    """Take a node out of a file."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        inside = line.startswith(f"{top}:") or (inside and line.startswith((" ", "\t", "-")))
        kept += [] if inside else [line]
    return "".join(kept)
