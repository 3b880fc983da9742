"""The application: ``strongchain``, or ``python -m experiments.run``.

Verbs and mistakes are answered at once; only a study imports all that it takes.
"""

from __future__ import annotations

import sys

from experiments import verbs

__all__ = ["main"]


def main() -> None:
    """Answer a verb, or tell every mistake of what was typed, or run the study. The exit status is not 0 if anything failed."""
    if (status := verbs.main(sys.argv[1:])) is not None:
        sys.exit(status)
    from experiments.preflight import preflight
    from experiments.settings import SettingsError

    try:
        words = preflight(sys.argv[1:])
    except SettingsError as mistake:
        print(f"strongchain: {mistake}", file=sys.stderr)
        sys.exit(1)
    from experiments.job import run

    sys.exit(run(words))


if __name__ == "__main__":
    main()
