"""The command ``strongchain``: verbs and mistakes are answered at once; only a study imports all that it takes."""

from __future__ import annotations

import sys

from experiments import verbs

__all__ = ["main"]


def main() -> None:
    """Answer a verb or tell what is wrong with what was typed, else run the study."""
    if (status := verbs.main(sys.argv[1:])) is not None:
        sys.exit(status)
    from experiments.preflight import preflight
    from experiments.settings import SettingsError

    try:
        preflight(sys.argv[1:])
    except SettingsError as mistake:
        print(f"strongchain: {mistake}", file=sys.stderr)
        sys.exit(1)
    from experiments.run import main as study

    study()


if __name__ == "__main__":
    main()
