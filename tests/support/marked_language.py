"""A language in which every text that the folder of English holds stands in ⟦…⟧: what a reader sees outside is not from there.

The text of phrases and templates is put in brackets, and so are the strings that an expression shows: `{{ "fewer" if x else "more" }}`.
What an expression fills in is not put in brackets by the text around it, so that English that the code passes on is seen as well.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, nodes

from experiments.calibration.patterns import PATTERNS, PROBES
from experiments.catalogue.settings import settings
from experiments.languages.wording import ENGLISH, HERE, say, use_language
from sim.accounts.accounts import SECTORS
from sim.build.region import Region
from sim.instruments import INSTRUMENTS
from sim.outcomes import OUTCOMES
from tests.support.places import ROOT

__all__ = ["LEFT", "RIGHT", "marked", "marked_language", "outside"]

LEFT, RIGHT = "⟦", "⟧"
#: Functions of templates that take keys, not text.
LOOKUPS = frozenset({"say", "label", "instrument", "outcome"})
IMPORT = re.compile(r"""import\s+["'](\w+)\.j2["']\s+as\s+(\w+)""")
LETTER = re.compile(r"[^\W\d_]")
#: YAML reads 1.0e9 as a text.
NUMBER = re.compile(r"[\d.]+e\d+")

Token = tuple[str, str]
#: By template and macro: the parameters in order, and those of them that are keys, not text.
Macros = Mapping[tuple[str, str], tuple[list[str], set[str]]]


def marked_language(folder: Path, labels: Iterable[str] = ()) -> Path:
    """Write the language, and return its folder, for `experiments.languages.wording.use_language`.

    Parameters
    ----------
    folder : Path
        Where it is written: a folder that does not exist yet, or an empty one.
    labels : iterable of str
        English names of things, besides those of outcomes, instruments, regions, patterns, sectors and units, that have a label.
    """
    english = HERE / ENGLISH
    shutil.copytree(english, folder, dirs_exist_ok=True)
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(english.glob("*.j2"))}
    macros = _macros(sources)
    for name, source in sources.items():
        (folder / f"{name}.j2").write_text(marked(source, name, macros), encoding="utf-8")
    phrases = yaml.safe_load((english / "phrases.yaml").read_text(encoding="utf-8"))
    _write(folder / "phrases.yaml", _phrases(phrases))
    _write(folder / "labels.yaml", {name: _in_brackets(name) for name in sorted({*_labels(), *labels}) if LETTER.search(name)})
    return folder


def outside(text: str) -> str:
    """Return what stands outside the brackets of a text; brackets may stand in brackets.

    Raises
    ------
    ValueError
        If a bracket is not closed, or not opened: then the text was cut.
    """
    depth, kept = 0, []
    for letter in text:
        depth += (letter == LEFT) - (letter == RIGHT)
        if depth < 0:
            raise ValueError(f"{RIGHT} without {LEFT} in {text!r}")
        if depth == 0 and letter != RIGHT:
            kept.append(letter)
    if depth:
        raise ValueError(f"{LEFT} without {RIGHT} in {text!r}")
    return "".join(kept)


def marked(source: str, template: str = "", macros: Macros | None = None) -> str:
    """Return a phrase, or a template, with its text in brackets.

    Parameters
    ----------
    source : str
    template : str
        Its name, without the ending.
    macros : mapping, optional
        Of all templates; without it the source calls no macro.
    """
    tokens = [(kind, value) for _, kind, value in Environment().lex(source)]
    aliases = {"": template} | {alias: name for name, alias in IMPORT.findall(source)}
    expressions = _Expressions(aliases, macros or {})
    texts = []
    for place, (kind, value) in enumerate(tokens):
        is_text = kind == "data" or expressions.shows(tokens, place)
        texts.append(_in_brackets(value) if kind == "data" else _literal(value) if is_text else value)
    return "".join(texts)


def _in_brackets(text: str) -> str:
    """Put a text that holds a letter in brackets; blanks around it stay outside, since they join it to what stands beside it."""
    inner = text.strip()
    return text.replace(inner, f"{LEFT}{inner}{RIGHT}", 1) if LETTER.search(inner) else text


def _literal(source: str) -> str:
    """Do the same with a string of an expression."""
    text = ast.literal_eval(source)
    return repr(_in_brackets(text)) if LETTER.search(text) else source


def _phrases(phrases: Any) -> Any:
    if isinstance(phrases, Mapping):
        return {name: _phrases(value) for name, value in phrases.items()}
    if isinstance(phrases, list):
        return [_phrases(value) for value in phrases]
    return marked(phrases) if isinstance(phrases, str) and not NUMBER.fullmatch(phrases) else phrases


def _write(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000), encoding="utf-8")


def _labels() -> set[str]:
    """English names of things that `label` is asked for."""
    units = {outcome.unit for outcome in OUTCOMES.values()}
    with use_language(ENGLISH):
        drawn = {say(f"figures.{name}", unit) for unit in units for name in ("unit", "unit_of_difference")}
    regions = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "configs" / "region").glob("*.yaml")]
    return {
        *(outcome.label for outcome in OUTCOMES.values()),
        *(instrument.label for instrument in INSTRUMENTS.values()),
        *(region["label"] for region in regions if "label" in region),
        Region.label,
        *(pattern.label for pattern in PATTERNS),
        *(text for probe in PROBES.values() for text in (probe.label, probe.unit)),
        *(setting.unit for setting in settings()),
        *SECTORS,
        *units,
        *drawn,
    }


# -- strings in expressions ------------------------------------------------------------------------------


def _macros(sources: Mapping[str, str]) -> Macros:
    """Return the macros of all templates; a parameter is a key if it is compared, looked up, or looks something up."""
    found = {}
    for name, source in sources.items():
        for macro in Environment().parse(source).find_all(nodes.Macro):
            parameters = [argument.name for argument in macro.args]
            found[name, macro.name] = (parameters, _keys(macro) & set(parameters))
    return found


def _keys(macro: nodes.Macro) -> set[str]:
    looked_at: list[nodes.Node] = [*macro.find_all(nodes.Compare)]
    looked_at += [item.arg for item in macro.find_all(nodes.Getitem)]
    for call in macro.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in LOOKUPS:
            looked_at += call.args
    return {name.name for node in looked_at for name in ([node] if isinstance(node, nodes.Name) else node.find_all(nodes.Name))}


@dataclass
class _Bracket:
    """An open bracket: what is called or looked up, the place or name of the argument, and whether a list of keys follows `in`."""

    kind: str
    called: str = ""
    module: str = ""
    argument: int = 0
    keyword: str = ""
    of_keys: bool = False


@dataclass
class _Expressions:
    """Goes along the tokens of a template, and says of every string whether it is shown."""

    aliases: Mapping[str, str]
    macros: Macros
    tag: str = ""
    open: list[_Bracket] = field(default_factory=list)

    def shows(self, tokens: list[Token], place: int) -> bool:
        """Whether the token at a place, that follows the last one asked for, is a string that a reader sees."""
        kind, value = tokens[place]
        before, after = self._neighbours(tokens, place)
        if kind in ("block_begin", "variable_begin"):
            self.tag, self.open = kind.removesuffix("_begin"), []
        elif kind == "name" and before[0] == "block_begin":
            self.tag = value
        elif kind == "operator":
            self._operator(tokens, place)
        return kind == "string" and self._is_shown(before, after, ast.literal_eval(value))

    def _operator(self, tokens: list[Token], place: int) -> None:
        value = tokens[place][1]
        if value in "([{":
            self.open.append(self._bracket(value, [token for token in tokens[:place] if token[0] != "whitespace"]))
        elif value in ")]}" and self.open:
            self.open.pop()
        elif self.open and value == ",":
            self.open[-1].argument += 1
            self.open[-1].keyword = ""
        elif self.open and value == "=":
            self.open[-1].keyword = self._neighbours(tokens, place)[0][1]

    @staticmethod
    def _bracket(kind: str, before: list[Token]) -> _Bracket:
        last = before[-1]
        if last == ("name", "in"):
            return _Bracket(kind, of_keys=True)
        if last[0] != "name" or last[1] in ("if", "else", "and", "or", "not"):
            return _Bracket(kind, called="" if last[1] not in ")]" else "…")
        if before[-2] == ("operator", "|"):
            return _Bracket(kind, called=last[1], module="|")
        if before[-2] == ("operator", "."):
            return _Bracket(kind, called=last[1], module=before[-3][1])
        return _Bracket(kind, called=last[1])

    @staticmethod
    def _neighbours(tokens: list[Token], place: int) -> tuple[Token, Token]:
        def first(others: Iterable[Token]) -> Token:
            return next((token for token in others if token[0] != "whitespace"), ("", ""))

        return first(reversed(tokens[:place])), first(tokens[place + 1 :])

    def _is_shown(self, before: Token, after: Token, text: str) -> bool:
        if self.tag in ("import", "from", "include", "extends") or {before[1], after[1]} & {"==", "!="} or before[1] == "in":
            return False
        if self.tag == "macro":  # a parameter left out
            return before[1] == "=" and not self._is_key()
        if self.open and self._is_key():
            return False
        part = before[1] in ("~", "else", "or") or after[1] in ("~", "if")
        alone = before[0] == "variable_begin" or (self.tag == "set" and " " in text)
        return part or alone or bool(self.open and self.open[-1].called)

    def _is_key(self) -> bool:
        """Whether the argument in the innermost bracket that is a call or a subscript is a key."""
        bracket = next((one for one in reversed(self.open) if one.called or one.of_keys), None)
        if bracket is None:
            return False
        if bracket.of_keys or bracket.kind == "[" or bracket.called in LOOKUPS:
            return True
        if bracket.called == "append":
            return False
        if self.tag == "macro":
            parameters, keys = self.macros.get((self.aliases[""], bracket.called), ([], set()))
            return bracket.keyword in keys
        module = self.aliases.get(bracket.module)
        if module is None or (module, bracket.called) not in self.macros:
            return bool(bracket.called)  # of a filter, a method or a function
        parameters, keys = self.macros[module, bracket.called]
        return (bracket.keyword or parameters[bracket.argument]) in keys
