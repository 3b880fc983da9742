"""The application: ``strongchain``, or ``python -m experiments.run``.

Verbs, mistakes and calls for help are answered at once; only a study imports all that it takes.
"""

from __future__ import annotations

import io
import sys

from experiments.commands import verbs
from experiments.languages.wording import say

__all__ = ["main"]


def main() -> None:
    """Answer a verb, or tell every mistake of what was typed, or run the study. The exit status is not 0 if anything failed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write Chinese shows a question mark
    try:
        sys.exit(_answer(sys.argv[1:]))
    except KeyboardInterrupt:
        print(f"strongchain: {say('progress.interrupted')}", file=sys.stderr)
        sys.exit(130)


def _answer(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        arguments = ["help"]
    if (status := verbs.main(arguments)) is not None:
        return status
    from experiments.configuration.preflight import preflight
    from experiments.configuration.settings import SettingsError

    try:
        readable = preflight(arguments)
    except SettingsError as mistake:
        print(f"strongchain: {mistake}", file=sys.stderr)
        return 1
    if {"--help", "-h"} & set(readable):  # beside settings, which were without mistakes
        return verbs.main(["help"]) or 0
    from experiments.job import run

    return run(readable)


if __name__ == "__main__":
    main()
