"""Commands as a user can type them in bash, zsh and Windows' ``cmd.exe``: in double quotes, the only ones that all three take away."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

__all__ = ["command", "typed", "with_single_quotes"]

#: What no shell changes: of other characters some are special in one of them.
PLAIN = re.compile(r"[\w@%+=:,./-]+")
#: What bash and zsh change between double quotes too, and cmd.exe does not: a backslash alone is left as it is.
CHANGED = re.compile(r"[$`!]|\\\\")


def typed(word: str) -> str:
    r"""Return a word as it is typed: in double quotes where a shell would change it.

    A word with ``$``, a backquote, ``!`` or two backslashes side by side cannot be written for all three shells; it is written for bash and
    zsh.

    Examples
    --------
    >>> typed("months=36"), typed("instruments=[cqo]"), typed("a\\b c\\")
    ('months=36', '"instruments=[cqo]"', '"a\\b c\\\\"')
    """
    if PLAIN.fullmatch(word):
        return word
    if CHANGED.search(word):
        return shlex.quote(word)
    inside = re.sub(r'(\\*)"', r'\1\1\\"', word)
    end = len(word) - len(word.rstrip("\\"))
    return f'"{inside}{word[len(word) - end :]}"'


def command(words: Iterable[str]) -> str:
    """Return a command as it is typed."""
    return " ".join(map(typed, words))


def with_single_quotes(arguments: Iterable[str]) -> str:
    """Say that single quotes were part of what was typed, as ``cmd.exe`` leaves them; empty if they were not."""
    begun = [argument for argument in arguments if re.match(r"'[+~]?[a-z_][\w.@/-]*=", argument)]
    if not begun:
        return ""
    meant = begun[0].strip("'")
    return f'{begun[0]}: single quotes are no quotes in this shell (cmd.exe of Windows); use double quotes: "{meant}"'
