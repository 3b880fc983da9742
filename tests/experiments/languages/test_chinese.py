"""Chinese texts stand in for English ones: they take what these take, and hold no English of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, nodes

from experiments.languages.wording import HERE

#: Latin letters that a Chinese text may hold side by side: commands, names of files and settings, names that have no Chinese.
NAMES = (
    r"`[^`]*`",
    r"[a-z][\w.]*=(?:\[[^\]]*\]|[\w.,]+)",
    r"strongchain(?: (?:import|release|report|slides|export|explain|policy|instruments|completion|help|results|new|check|bash))+",
    r"(?:regions|chains|policies|instruments|experiments|parameters|results|report|slides|export|rerun|verify)(?: \|| )+",
    r"policy (?:new|check)(?:\|check)?",
    r"[\w./-]+\.(?:csv|json|html|parquet|png|yaml|xlsx|md|lock)\b",
    r"Fieller|Strongchain|JavaScript|Parquet|SHA-256",
)
WORDS = re.compile(r"[A-Za-z]{2,}[ ,.;:]+[A-Za-z]{2,}")
#: Texts that quote what is typed: the help, and a file to copy.
TYPED = frozenset({"help.text", "verbs_text.no_experiment"})
MARKS = re.compile(r"(?<=[\u4e00-\u9fff])[,;:?!()]|[,;:?!()](?=[\u4e00-\u9fff])")


def phrases(code: str) -> dict[str, str]:
    """Return the phrases of a language by name."""

    def flat(part: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
        for name, text in part.items():
            yield from flat(text, f"{prefix}{name}.") if isinstance(text, dict) else [(f"{prefix}{name}", str(text))]

    return dict(flat(yaml.safe_load((HERE / code / "phrases.yaml").read_text(encoding="utf-8"))))


def macros(code: str) -> dict[str, nodes.Macro]:
    """Return the macros of a language by file and name."""
    return {
        f"{path.stem}.{macro.name}": macro
        for path in sorted((HERE / code).glob("*.j2"))
        for macro in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Macro)
    }


def shown(node: nodes.Node) -> Iterator[str]:
    """Return what a template holds as text, string by string, keys and formats left out."""
    for data in node.find_all(nodes.TemplateData):
        yield data.data
    for constant in node.find_all(nodes.Const):
        if isinstance(constant.value, str) and re.search(r"[\u4e00-\u9fff]", constant.value):
            yield constant.value


ENGLISH, CHINESE = phrases("en"), phrases("zh")
MACROS, OURS = macros("en"), macros("zh")
TEXTS = [
    *((name, text) for name, source in CHINESE.items() if name != "money.units" for text in shown(Environment().parse(source))),
    *((name, text) for name, macro in OURS.items() for text in shown(macro)),
]


def asked(source: str) -> set[str]:
    """Return the values that a phrase is filled in with."""
    names = list(Environment().parse(source).find_all(nodes.Name))
    return {one.name for one in names if one.ctx == "load"} - {one.name for one in names if one.ctx == "store"} - {"label", "say"}


def test_a_phrase_is_filled_in_with_what_the_english_one_is():
    """English names of regions and portfolios are left out on purpose."""
    differing = {name: asked(CHINESE[name]) ^ asked(ENGLISH[name]) for name in set(ENGLISH) & set(CHINESE)}
    assert {name: values for name, values in differing.items() if values - {"english"}} == {}


def test_a_sentence_takes_the_arguments_that_the_english_one_takes():
    def arguments(macro: nodes.Macro) -> tuple[list[str], int]:
        return [argument.name for argument in macro.args], len(macro.defaults)

    public = {name for name in MACROS if "._" not in name}
    assert len(public) > 100
    assert {name for name in public if arguments(OURS[name]) != arguments(MACROS[name])} == set()


def without_names(text: str) -> str:
    """Return a text without what may be in Latin letters."""
    for name in NAMES:
        text = re.sub(name, "…", text)
    return text


def test_no_text_holds_two_latin_words_in_a_row():
    left = {name: WORDS.findall(without_names(text)) for name, text in TEXTS if name not in TYPED}
    assert {name: words for name, words in left.items() if words} == {}


def test_marks_beside_chinese_are_as_wide_as_it_is():
    left = {f"{name}: {text.strip()}" for name, text in TEXTS if name not in TYPED and MARKS.search(without_names(text))}
    assert sorted(left) == []


def test_no_blank_stands_before_the_sign_for_percent():
    assert [f"{name}: {text.strip()}" for name, text in TEXTS if re.search(r"\S +%", text)] == []
