"""Help with misspelt words: the nearest word that would have been right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

__all__ = ["nearest"]

MOST_COMPARED = 20_000
"""How many known words are compared: a second's work, and an error message must not take longer."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of an error message that asks whether the nearest known word was meant.

    Parameters
    ----------
    word : str
        The word that was written, and is not known.
    known : iterable of str
        Words that would have been right; the first `MOST_COMPARED` of them are compared.

    Returns
    -------
    str
        ``"; did you mean 'x'?"``, or an empty string where no known word shares about half of its letters with `word`, and not
        exactly one holds it as a whole.

    Examples
    --------
    >>> nearest("capabilty", ["capability", "cash"])
    "; did you mean 'capability'?"
    >>> nearest("loans", ["strong_chain_loans", "cash"])
    "; did you mean 'strong_chain_loans'?"
    >>> nearest("zzz", ["capability", "cash"])
    ''
    """
    compared = list(islice(known, MOST_COMPARED))
    holding = [one for one in compared if len(word) > 2 and word in one]
    match = holding if len(holding) == 1 else get_close_matches(word, compared, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""
