"""Flags of Hydra on the command line: which of them may be typed, and with which values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.spelling import nearest

__all__ = ["MANY", "apart", "shows_only"]

#: Flags of Hydra that take the configuration from another place.
FROM_ANOTHER_PLACE = ("--config-path", "-cp", "--config-dir", "-cd", "--config-name", "-cn", "--experimental-rerun")
#: Flags of Hydra with a value, and which values there are.
VALUED = {
    ("--cfg", "-c"): ("job", "hydra", "all"),
    ("--info", "-i"): ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    ("--package", "-p"): (),
}
#: The value of a flag that is typed without one.
BARE = {"--info": "all", "-i": "all"}
#: Flags of Hydra that stand alone.
ALONE = (
    "--help",
    "-h",
    "--hydra-help",
    "--dry-run",
    "--version",
    "--resolve",
    "--run",
    "-r",
    "--multirun",
    "-m",
    "--shell-completion",
    "-sc",
)
#: Flags of Hydra that make it run every point of a sweep.
MANY = ("-m", "--multirun")
#: Flags of Hydra that exclude each other.
ONE_OF = (*MANY, "-r", "--run", "-c", "--cfg", "-i", "--info", "-sc", "--shell-completion")


def apart(arguments: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Separate flags from overrides, since Hydra wants all flags on one side of the overrides.

    Returns
    -------
    tuple
        The flags, each together with its value; the overrides; all mistakes.
    """
    flags: list[str] = []
    overrides: list[str] = []
    mistakes: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            overrides.append(argument)
            continue
        flag, equals, value = argument.partition("=")
        if _takes(flag) is not None and not equals and rest and not rest[0].startswith("-") and "=" not in rest[0]:
            value = rest.pop(0)
        mistakes += _wrong(argument, flag, value)
        flags.append(f"{flag}={value or BARE.get(flag, '')}" if _takes(flag) is not None else argument)
    first = [flag for flag in (flag.partition("=")[0] for flag in flags) if flag in ONE_OF]
    if len(first) > 1:
        mistakes.append(f"{' and '.join(first)}: Hydra takes only one of them; leave out the other{'s' if len(first) > 2 else ''}")
    return flags, overrides, mistakes


def shows_only(arguments: Sequence[str]) -> bool:
    """Whether flags only ask Hydra to print something."""
    flags = {argument.partition("=")[0] for argument in arguments if argument.startswith("-")}
    return bool(flags - {*MANY, "-r", "--run", "--package", "-p", "--resolve"})


def _takes(flag: str) -> tuple[str, ...] | None:
    """Return what may follow a flag, an empty tuple for any name; None if nothing may."""
    return next((legal for names, legal in VALUED.items() if flag in names), None)


def _wrong(argument: str, flag: str, value: str) -> Iterator[str]:
    """Say what is wrong with a flag or with its value."""
    legal = _takes(flag)
    if flag in FROM_ANOTHER_PLACE:
        yield f"{flag}: takes settings from another place; type them, or put them into a file under configs/"
    elif legal is None and argument not in ALONE:
        yield f"{argument}: there is no such flag{nearest(flag, [*ALONE, *(name for names in VALUED for name in names)])}"
    elif legal is not None and not (value or flag in BARE) or (legal and value and value not in legal):
        must = f"one of {', '.join(legal)}" if legal else "a name"
        yield f"{flag} {value}".rstrip() + f": it must be {must}{nearest(value, legal or ())}"
