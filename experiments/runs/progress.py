"""How far a study is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

from experiments.languages.wording import say

__all__ = ["Progress"]

#: Seconds between two lines in a log.
PAUSE = 30.0


class Progress:
    """Runs done of a study, with rate and time left, on standard error.

    Parameters
    ----------
    total, done : int
        Runs of the study, and how many of them are there already.
    shown : bool
        Whether anything is written.
    """

    def __init__(self, total: int, done: int = 0, shown: bool = True) -> None:
        self.total, self.begun, self.done = total, done, done
        self._lines = shown and not sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, unit="run", file=sys.stderr, disable=not shown or self._lines)
        self._start = self._said = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, mistake: BaseException | None, where: TracebackType | None) -> None:
        self._bar.close()

    def add(self, runs: int) -> None:
        """Count finished runs."""
        self.done += runs
        self._bar.update(runs)
        now = time.monotonic()
        if self._lines and (now - self._said >= PAUSE or (self.done >= self.total and now - self._start >= PAUSE)):
            self._said = now
            rate = (self.done - self.begun) / (now - self._start)
            left = tqdm.format_interval((self.total - self.done) / rate)
            print(say("progress.rate", done=self.done, total=self.total, rate=rate, left=left), file=sys.stderr, flush=True)
