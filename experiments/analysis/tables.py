"""Tables as a notebook asks them: rows of some arms and outcomes, with their labels and what they show in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import pandas as pd

import experiments.renamed as renamed
from experiments.analysis.heads import in_words
from experiments.analysis.verdicts import Conclusion, judgement
from experiments.languages.wording import label, say, use_language
from experiments.terminal import did_you_mean
from sim.outcomes import OUTCOMES
from sim.record import GROUPINGS

__all__ = ["EffectsTable", "Table"]


class Table(pd.DataFrame):
    """A table of a study, and what is taken from it: of a column that had another name it says what it is called now."""

    @property
    def _constructor(self) -> Callable[..., Table]:
        """What pandas makes of a part of the table."""
        return Table

    def __getitem__(self, key: Any) -> Any:
        """Return a column, or what else pandas makes of the key.

        Raises
        ------
        KeyError
            If there is no such column: one line that names the new one if the key is an old name.
        """
        try:
            return super().__getitem__(key)
        except KeyError:
            if isinstance(key, str) and (line := renamed.column(key)):
                raise KeyError(line) from None
            raise


class EffectsTable(Table):
    """The table of effects: a table like all others, and a question that can be asked of it.

    ``effects.query(…)`` is pandas; ``effects(arm=…, outcome=…, by=…)`` returns rows in words. What pandas makes
    of it is a plain table: pandas calls whatever can be called where it takes a mask.
    """

    _metadata: ClassVar[list[str]] = ["reference"]
    #: The arm that the others are compared with.
    reference: str = ""

    @classmethod
    def against(cls, reference: str, effects: pd.DataFrame) -> EffectsTable:
        """Return a table of effects against a reference."""
        table = cls(effects)
        table.reference = reference
        return table

    def __call__(
        self, arm: str | Iterable[str] = (), outcome: str | Iterable[str] = (), by: str = "total", language: str | None = None
    ) -> Table:
        """Return effects with their labels, their intervals and what they show.

        Parameters
        ----------
        arm, outcome : str or several
            None is all; the reference, whose effects are 0, is left out unless it is asked for.
        by : str
            A grouping that the study recorded: ``"total"``, ``"size"``, ``"tier"``, ``"chain"``.
        language : str, optional
            Language of the labels; without it the one that is spoken.

        Returns
        -------
        Table
            A row per arm, outcome and group: keys, label, unit, effect and its share of the reference with their 95 % intervals, and
            two columns in words: what is concluded, and how that is judged.

        Raises
        ------
        KeyError
            If there is no such arm, outcome or grouping: what there is, and what to type.
        """
        groupings = list(dict.fromkeys(self["by"]))
        if by not in groupings:
            _refuse_grouping(by, groupings)
        rows = self[self["by"] == by]
        rows = rows[rows["arm"].isin(_chosen("arm", arm, rows["arm"]))]
        rows = rows[rows["outcome"].isin(_chosen("outcome", outcome, rows["outcome"]))]
        if not arm:
            rows = rows[rows["arm"] != self.reference]
        with use_language(language) if language else nullcontext():
            words = in_words(rows[["outcome", "by", "group", "unit"]])
            judged = [
                judgement(Conclusion(concluded), OUTCOMES[key].better if key in OUTCOMES else "")
                for key, concluded in zip(rows["outcome"], rows["conclusion"], strict=True)
            ]
            kept = ["level", *(f"effect{share}{end}" for share in ("", "_share") for end in ("", "_low", "_high"))]
            columns = {
                **{name: rows[name] for name in ("arm", "outcome", "by", "group")},
                "label": words["outcome"],
                "group_label": words["group"],
                **{name: rows[name] for name in kept},
                "unit": [label(unit) for unit in rows["unit"]],
                "conclusion": rows["conclusion"],
                "judgement": [say(f"judgements.{one}") for one in judged],
                "replicates": rows["replicates"],
            }
            return Table(columns).reset_index(drop=True)


def _chosen(what: str, asked: str | Iterable[str], every: pd.Series) -> Sequence[str]:
    """Return the arms or outcomes that are asked for, or all."""
    known = [str(one) for one in dict.fromkeys(every)]
    chosen = [asked] if isinstance(asked, str) and asked else list(asked)
    for one in chosen:
        if one not in known:
            raise KeyError(f"no {what} is called {one!r}; {what}s are {', '.join(known)}{did_you_mean(one, known)}")
    return chosen or known


def _refuse_grouping(by: str, recorded: Sequence[str]) -> None:
    """Say which groupings a study recorded, and what to type for another one."""
    if by not in GROUPINGS:
        raise KeyError(f"no grouping is called {by!r}; this study recorded {', '.join(recorded)}{did_you_mean(by, GROUPINGS)}")
    typed = ",".join([*(one for one in recorded if one != "total"), by])
    raise KeyError(f"this study recorded no grouping {by!r}, but {', '.join(recorded)}; type by=[{typed}] and run it again")
