"""What takes more than a moment says so: a line on what is done, on standard error, once it has taken a second.

Nothing is said unless the application asks for it (`announce`) and somebody looks: a notebook, ``quiet=true`` and an error stream that goes
into a file or to another program stay silent.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from experiments.languages.wording import say
from experiments.terminal import printable

__all__ = ["announce", "slow"]

#: Seconds without a word.
PATIENCE = 1.0

_announced = False


def announce(on: bool) -> None:
    """Say from now on what is waited for, or say nothing."""
    global _announced
    _announced = on


@contextlib.contextmanager
def slow(name: str, after: float = PATIENCE, **values: Any) -> Iterator[None]:
    """Say a phrase or sentence if what stands in the `with` block takes longer than some seconds.

    Parameters
    ----------
    name : str
        As `experiments.languages.wording.say` takes it.
    after : float
        Seconds; at 0 it is said at once.
    **values
        What it is filled in with.
    """
    if not (_announced and _somebody_looks()):
        yield
        return
    timer = threading.Timer(after, _print, [say(name, **values)])  # said here, in the language that is spoken here
    timer.daemon = True
    if after > 0:
        timer.start()
    else:
        timer.run()
    try:
        yield
    finally:
        timer.cancel()


def _somebody_looks() -> bool:
    return sys.stderr.isatty()


def _print(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads it
        print(printable(text), file=sys.stderr, flush=True)
