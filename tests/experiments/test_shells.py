"""Commands are written in double quotes, which bash, zsh and Windows' cmd.exe all take away."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from experiments.commands.help import help_text
from experiments.languages.wording import HERE, language_in
from experiments.shells import command, typed, with_single_quotes
from tests.support.places import DOCS, ROOT

WORDS = [
    "months=36",
    "instruments=[cqo]",
    "policy=我的 政策.yaml",
    "study.arms={a: ['instruments=[]']}",
    'say "yes"',
    "C:\\a b\\",
    "50 %",
    "a&b|c>d^e",
]


@pytest.mark.parametrize("word", [*WORDS, "${months}", "now!", "a`b", "\\\\server\\share x", ""])
def test_bash_gives_back_the_word(word):
    assert shlex.split(typed(word)) == [word]


@pytest.mark.parametrize("word", WORDS)
def test_no_word_is_in_single_quotes_which_cmd_would_leave(word):
    assert not re.search(r"(^|\s)'", typed(word).replace(word, ""))


@pytest.mark.parametrize("word", WORDS)
def test_windows_gives_back_the_word(word):
    assert _split_as_windows(typed(word)) == [word]


def _split_as_windows(line: str) -> list[str]:
    """Take a command apart by the rules of Microsoft's C library: 2n backslashes before a quote are n and a quote that ends or begins."""
    words, word, inside, backslashes = [], "", False, 0
    for c in line + " ":
        if c == "\\":
            backslashes += 1
            continue
        if c == '"':
            word += "\\" * (backslashes // 2)
            word, inside = (f'{word}"', inside) if backslashes % 2 else (word, not inside)
        else:
            word += "\\" * backslashes
            if c == " " and not inside:
                words, word = [*words, word], ""
            else:
                word += c
        backslashes = 0
    return words


@pytest.mark.study
def test_bash_itself_gives_back_a_command():
    line = f"printf '%s\\n' {command(WORDS)}"
    assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines() == WORDS


def test_single_quotes_that_arrive_get_a_line_that_says_what_to_type():
    hint = with_single_quotes(["months=3", "'instruments=[cqo]'"])
    assert hint.endswith('use double quotes: "instruments=[cqo]"') and "\n" not in hint
    assert with_single_quotes(["'study.arms={a:", "[x]}'"]), "cmd.exe takes it apart at blanks"
    assert not with_single_quotes(["months=3", "network.path='a b.csv'", "name='x'"])


# -- no command of ours has single quotes ---------------------------------------------------------------------


def commands() -> dict[str, str]:
    """Every command of the README, the documents, the help and the texts of every language, by where it stands."""
    pages = [*ROOT.glob("README*.md"), *DOCS.rglob("*.md"), ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in pages if path.is_file()}
    texts |= {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in HERE.glob("*/*.*") if path.suffix in {".yaml", ".j2"}
    }
    texts["--help"] = help_text()
    found = {}
    for where, text in texts.items():
        for k, line in enumerate(text.splitlines()):
            for part in [line.split("  ")[0], *re.findall(r"`([^`]+)`", line)]:
                if re.match(r"(?:strongchain|python -m experiments\S*)(?: |$)", part) or re.match(r"['\"]?[+a-z_][a-z_.]*=[\[{]", part):
                    found[f"{where}:{k + 1}: {part}"] = part.split(" #")[0]
    return found


def test_no_command_in_the_documents_has_single_quotes():
    every = commands()
    assert len(every) > 60
    assert [where for where, part in every.items() if "'" in part] == []


def test_no_message_suggests_single_quotes():
    suggestion = re.compile(r"'[a-z_{][\w.{}]*=\{?\{?[\[{]")
    files: list[Path] = [*(ROOT / "experiments/configuration").glob("*.py"), *(ROOT / "experiments/studies").glob("*.py")]
    files += [
        *(ROOT / "experiments/catalogue").glob("*.py"),
        *(ROOT / "experiments/languages").glob("*/*.*"),
        *(ROOT / "configs").rglob("*.yaml"),
    ]
    typed_ones = [
        f"{path.name}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(type|write|Choose with|Add others:) '|must be a list of names: '|name its values: '", line)
        and suggestion.search(line)
    ]
    assert typed_ones == []


def test_the_phrase_on_choosing_instruments_is_typable():
    assert '"instruments=[NAME,NAME]"' in language_in(HERE / "en").say("verbs.choose.instruments")
