"""Flags of Hydra among the words typed: which may be typed, and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.spelling import nearest

__all__ = ["MANY", "apart"]

#: Flags of Hydra that take configuration from elsewhere.
ASTRAY = ("--config-path", "-cp", "--config-dir", "-cd", "--config-name", "-cn", "--experimental-rerun")
#: Flags of Hydra that a word follows, and which.
VALUED = {
    ("--cfg", "-c"): ("job", "hydra", "all"),
    ("--info", "-i"): ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    ("--package", "-p"): (),
}
#: What follows one of these unless it is typed.
BARE = {"--info": "all", "-i": "all"}
#: Flags of Hydra that stand alone.
ALONE = ("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r", "--multirun", "-m", "--shell-completion", "-sc")
#: Flags of Hydra that make it run every point of a sweep.
MANY = ("-m", "--multirun")
#: Flags of Hydra of which only one may be typed.
ONE_OF = (*MANY, "-r", "--run", "-c", "--cfg", "-i", "--info", "-sc", "--shell-completion")


def apart(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Take flags and overrides apart, since Hydra wants all flags on one side of the overrides.

    Returns
    -------
    tuple
        The flags, each in one word with what belongs to it; the overrides; all mistakes.
    """
    flags: list[str] = []
    overrides: list[str] = []
    mistakes: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            overrides.append(word)
            continue
        flag, equals, value = word.partition("=")
        if _takes(flag) is not None and not equals and rest and not rest[0].startswith("-") and "=" not in rest[0]:
            value = rest.pop(0)
        mistakes += _wrong(word, flag, value)
        flags.append(f"{flag}={value or BARE.get(flag, '')}" if _takes(flag) is not None else word)
    first = [flag for flag in (flag.partition("=")[0] for flag in flags) if flag in ONE_OF]
    if len(first) > 1:
        mistakes.append(f"{' and '.join(first)}: Hydra takes only one of them; leave out the other{'s' if len(first) > 2 else ''}")
    return flags, overrides, mistakes


def _takes(flag: str) -> tuple[str, ...] | None:
    """Return what may follow a flag, an empty tuple for any name; None if nothing may."""
    return next((legal for names, legal in VALUED.items() if flag in names), None)


def _wrong(word: str, flag: str, value: str) -> Iterator[str]:
    """Say what is wrong with a flag or with what belongs to it."""
    legal = _takes(flag)
    if flag in ASTRAY:
        yield f"{flag}: takes settings from elsewhere; type them, or put them into a file under configs/"
    elif legal is None and word not in ALONE:
        yield f"{word}: there is no such flag{nearest(flag, [*ALONE, *(name for names in VALUED for name in names)])}"
    elif legal is not None and not (value or flag in BARE) or (legal and value and value not in legal):
        must = f"one of {', '.join(legal)}" if legal else "a name"
        yield f"{flag} {value}".rstrip() + f": it must be {must}{nearest(value, legal or ())}"
