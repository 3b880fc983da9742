"""The application: ``strongchain``, or ``python -m experiments.run``.

Verbs, mistakes and calls for help are answered at once; only a study imports all that it takes.
"""

from __future__ import annotations

import io
import sys

from experiments.terminal import printable

__all__ = ["main"]


#: What asks only how much a study would take.
DRY_RUN = "--dry-run"


def main() -> None:
    """Answer a verb, or tell every mistake of what was typed, or run the study. The exit status is not 0 if anything failed.

    An error that nobody foresaw is written to a file, and named in one line; also one of what is imported here and below.
    """
    typed = sys.argv[1:]  # a study replaces it by what Hydra reads
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write Chinese shows a question mark
    try:
        sys.exit(_answer(typed))
    except KeyboardInterrupt:
        from experiments.languages.wording import say

        print(f"strongchain: {say('progress.interrupted')}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader has gone: no error of ours
        raise
    except Exception as mistake:
        from experiments.last_resort import noted

        print(f"strongchain: {noted(mistake, typed)}", file=sys.stderr)
        sys.exit(1)


def _answer(arguments: list[str]) -> int:
    from experiments.commands import verbs
    from experiments.languages.wording import languages, speak
    from experiments.waiting import announce, slow

    typed = [word.partition("=")[2] for word in arguments if word.startswith("language=")]
    if set(typed[:1]) <= set(languages()):
        speak(*typed[:1])
    announce("quiet=true" not in arguments)
    other = [word for word in arguments if not word.startswith("language=")]
    if other in (["--help"], ["-h"]):
        other = ["help"]
    if (status := verbs.main(other, typed)) is not None:
        return status
    dry = DRY_RUN in arguments
    arguments = [word for word in arguments if word != DRY_RUN]
    with slow("waiting.start", after=0.0):  # it takes some seconds every time
        from experiments.configuration.preflight import preflight
        from experiments.configuration.settings import SettingsError
        from experiments.languages.wording import mistake as in_words

        try:
            readable = preflight(arguments)
        except SettingsError as mistake:
            print(f"strongchain: {printable(in_words(str(mistake)))}", file=sys.stderr)
            return 1
    if {"--help", "-h"} & set(readable):  # beside settings, which were without mistakes
        return verbs.main(["help"], typed) or 0
    from experiments.job import dry_run, run

    return dry_run(readable) if dry else run(readable)


if __name__ == "__main__":
    main()
