"""State in columns, agents on demand.

A `Population` owns the state of one kind of agent as NumPy columns; the phases of the month
work on whole columns. Each kind is a class that declares its columns with their types, so that a type
checker and an editor know them all. Mesa's own agent objects are thin views of one row each, built only
at the first use of ``model.agents``, ``model.agents_by_type`` or ``model.agent_types``. So sweeps do not
spend time on objects that only notebooks need.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.spelling import nearest

__all__ = ["AgentsOnDemand", "Column", "Flags", "Floats", "Indices", "Ints", "Population", "Row", "column"]

#: Types of columns: amounts and shares, yes or no, counts and rows, and indices of small populations (chains, counties).
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Column:
    """One column of a population's state.

    Attributes
    ----------
    dtype : str
        NumPy dtype of an entry.
    unit : str
        Unit of measurement ("1" for a pure number).
    meaning : str
        One line for the reader.
    width : int
        Entries per row; 1 gives shape (n,), more gives (n, width).
    start : float
        Value of a new row.
    signed : bool
        Whether an amount may fall below 0 (for example cash: an overdraft).
    monthly : bool
        Whether it counts the events of one month, and goes back to `start` at the beginning of each month.
    """

    dtype: str
    unit: str
    meaning: str
    width: int = 1
    start: float = 0
    signed: bool = False
    monthly: bool = False


def column(unit: str, meaning: str, *, width: int = 1, start: float = 0, signed: bool = False, monthly: bool = False) -> Any:
    """Declare a column in the class of a population: ``cash: Floats = column("CNY", "deposits", signed=True)``.

    The annotation of the name sets the dtype. The other arguments are those of `Column`.
    """
    return Column("", unit, meaning, width, start, signed, monthly)


class Population:
    """All agents of one kind: a row each, a NumPy array per column.

    Reading ``population.capability`` gives the array itself. Assigning to it writes into the array, so no
    outdated array is left anywhere. A name that is no column is refused. For a type checker a column
    is an array: to write a scalar, or another dtype, into it, write ``population.age[:] = 0``.

    A subclass declares its columns, each with its type and `column`. After its own columns it has those of its base
    classes. The first column of every population is ``alive`` (bool).

    Parameters
    ----------
    kind : str
        Name of the population in the model ("firms").
    columns : dict of str to Column, optional
        Columns in addition to those that the class declares.
    n : int
        Number of rows.

    Attributes
    ----------
    declared : dict of str to Column
        Columns that the class declares, those of its base classes included.

    Examples
    --------
    >>> class Shops(Population):
    ...     stock: Floats = column("CNY", "goods on the shelves", start=2.0)
    >>> Shops("shops", n=3).stock
    array([2., 2., 2.])
    """

    declared: ClassVar[dict[str, Column]] = {}
    kind: str
    n: int
    columns: dict[str, Column]
    alive: Flags

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dtypes = {name: _dtype(annotation) for name, annotation in get_annotations(cls, eval_str=True).items()}
        own = {name: declared for name, declared in vars(cls).items() if isinstance(declared, Column)}
        if incomplete := {name for name, dtype in dtypes.items() if dtype} ^ own.keys():
            raise TypeError(
                f"{cls.__name__}.{min(incomplete)}: a column needs both a type of arrays and column(…), as in cash: Floats = column(…)"
            )
        for name, declared in own.items():
            own[name] = replace(declared, dtype=dtypes[name])
            # Without it in the class, the name belongs to the instance alone: reading it is fast, and a wrong name is refused.
            delattr(cls, name)
        inherited = {name: column for base in cls.__bases__ for name, column in getattr(base, "declared", {}).items()}
        cls.declared = own | inherited | own  # its own columns come first, and replace inherited ones

    def __init__(self, kind: str, columns: dict[str, Column] | None = None, n: int = 0) -> None:
        self.__dict__.update(kind=kind, n=n, columns={})
        self.add_column("alive", Column("bool", "1", "lives in the world", start=True))
        for name, declared in (*self.declared.items(), *(columns or {}).items()):
            self.add_column(name, declared)

    def add_column(self, name: str, column: Column) -> None:
        """Add a column (a researcher's extra state); refused if the population or its agents already use the name."""
        if name in self.__dict__ or name in Row._own or hasattr(type(self), name) or hasattr(Row, name):
            raise ValueError(f"{self.kind} already have {name!r}")
        shape = (self.n,) if column.width == 1 else (self.n, column.width)
        self.columns[name] = column
        # Column order, so that the same entry of all rows (one capability of all firms) is contiguous in memory.
        self.__dict__[name] = np.full(shape, column.start, dtype=column.dtype, order="F")

    def grow(self, rows: int) -> NDArray[np.int64]:
        """Append some new rows and return their row numbers; existing rows keep theirs."""
        first = self.n
        for name, column in self.columns.items():
            old = self.__dict__[name]
            new = np.full((rows, *old.shape[1:]), column.start, dtype=old.dtype, order="F")
            self.__dict__[name] = np.concatenate([old, new])
        self.__dict__["n"] = first + rows
        return np.arange(first, first + rows)

    def turn_page(self) -> None:
        """Begin a month: set the columns that count its events back to their start."""
        for name, column in self.columns.items():
            if column.monthly:
                self.__dict__[name][...] = column.start

    # Hidden from type checkers: with these methods they would accept every name.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Called only when `name` is no column.
            if name.startswith("__"):
                raise AttributeError(name)
            raise AttributeError(f"{self.__dict__.get('kind', 'population')} have no column {name!r}{nearest(name, self.__dict__)}")

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in self.columns:
                raise AttributeError(f"{self.kind} have no column {name!r}{nearest(name, self.columns)}")
            self.__dict__[name][...] = value

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"<{self.n} {self.kind}, {len(self.columns)} columns>"


def _dtype(annotation: Any) -> str:
    """Return the name of the dtype in a type of arrays, ``"float64"`` of `Floats`; empty for any other type."""
    if get_origin(annotation) is not np.ndarray:
        return ""
    _, dtype = get_args(annotation)
    return np.dtype(get_args(dtype)[0]).name


class _Ids:
    """The source of the next unique id for Mesa 3.3: the model itself, so that a copy of a model continues its count.

    Mesa's own table of counters by model would keep every model in memory, and a copy would start at 1 again.
    """

    def __getitem__(self, model: AgentsOnDemand) -> Iterator[int]:
        model._last_id += 1
        return iter((model._last_id,))


class Row(mesa.Agent):  # type: ignore[misc, type-arg, unused-ignore]
    """A Mesa agent that is a live view of one row of a population.

    Attribute access reads and writes the column at the agent's row; a name that is neither
    a column nor declared by the class is refused on assignment, so that a typo is noticed.
    A value that was read does not change later (a data collector may keep it). Entries of a wide column are returned
    as a read-only array: assign all of them, ``firm.capability = …``, or
    write into the column, ``model.firms.capability[firm.row, 2] = …``.
    """

    population: ClassVar[str]
    _ids = _Ids()
    _own = frozenset({"model", "unique_id", "pos", "row", "_rows"})

    def __init__(self, model: AgentsOnDemand, row: int) -> None:
        self._rows: Population = getattr(model, self.population)
        self.row = row
        super().__init__(model)
        model._views[self.population, row] = self

    def __getattr__(self, name: str) -> Any:
        # Called only when normal lookup fails: the name is a column, or a mistake.
        rows = self.__dict__.get("_rows")  # not there yet while an agent is being unpickled
        known = rows.columns if rows is not None else {}
        if name == "alive" and rows is not None:
            return self._stands
        if name in known:
            value = getattr(rows, name)[self.row]
            if not value.shape:
                return value.item()
            value = value.copy()
            value.flags.writeable = False
            return value
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{nearest(name, known)}")

    @property
    def _stands(self) -> bool:
        """Whether it lives: its place is alive, and no other agent has taken the place."""
        return bool(self._rows.alive[self.row]) and self.model._views.get((self.population, self.row)) is self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            object.__setattr__(self, name, value)
        elif not self._stands:
            raise AttributeError(f"{self!r} has left the world; its attributes cannot be set")
        elif name == "alive":
            raise AttributeError("use agent.remove() to take an agent out, so that the model settles its accounts and links")
        elif name in self._rows.columns:
            getattr(self._rows, name)[self.row] = value
        elif hasattr(type(self), name):
            object.__setattr__(self, name, value)  # properties and class attributes of a subclass
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{nearest(name, self._rows.columns)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._rows.columns]

    def remove(self) -> None:
        """Leave the world. Entry and exit go through the model, which settles the agent's accounts and links."""
        if self._stands:
            self.model.leave(self.population, self.row)
        super().remove()  # has no effect if the model has already removed it

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.row}>"


class AgentsOnDemand(mesa.Model):  # type: ignore[misc, type-arg, unused-ignore]
    """A Mesa model that builds its agent objects at their first use.

    A subclass names its populations in `kinds`: for each, a function that gives the agent
    class of every row (or one class for all).
    """

    kinds: ClassVar[dict[str, Callable[[Any], list[type[Row]]]]] = {}
    _agents_built = False
    _last_id = 0

    def leave(self, population: str, row: int) -> None:
        """Take one agent out of the world; a model extends this to settle the agent's accounts and links."""
        getattr(self, population).alive[row] = False
        self._disappear(population, row)

    def _disappear(self, kind: str, row: int) -> None:
        if self._agents_built and (agent := self._views.pop((kind, row), None)) is not None:
            mesa.Agent.remove(agent)

    @property
    def agents_built(self) -> bool:
        """Whether agent objects have been built."""
        return self._agents_built

    def _build_agents(self) -> None:
        if self._agents_built:
            return
        self._agents_built = True
        self._views: dict[tuple[str, int], Row] = {}
        collecting = gc.isenabled()
        gc.disable()  # building many objects at once would start the collector again and again
        try:
            for kind, classes in self.kinds.items():
                population = getattr(self, kind)
                for row, cls in enumerate(classes(population)):
                    if population.alive[row]:
                        cls(self, row)
        finally:
            if collecting:
                gc.enable()

    def appear(self, kind: str, rows: Iterable[int]) -> None:
        """Build the agent objects of rows that were added or came back to life, if agent objects exist."""
        if self._agents_built:
            classes = self.kinds[kind](getattr(self, kind))
            for row in rows:
                classes[row](self, row)

    def renew(self, kind: str, rows: Iterable[int]) -> None:
        """Replace the agent objects of some rows by new ones, if agent objects exist."""
        if self._agents_built:
            rows = list(rows)
            for row in rows:
                self._disappear(kind, row)
            self.appear(kind, rows)

    def remove_all_agents(self) -> None:
        """Take every agent out of the world."""
        self._build_agents()
        super().remove_all_agents()

    @property
    def agents(self) -> Any:
        """All agents, as Mesa's AgentSet."""
        self._build_agents()
        return super().agents

    @agents.setter
    def agents(self, agents: Any) -> None:
        raise AttributeError("model.agents is Mesa's own; add and remove agents through the model")

    @property
    def agent_types(self) -> list[type]:
        """The classes of the agents in the world."""
        self._build_agents()
        return list(super().agent_types)

    @property
    def agents_by_type(self) -> Any:
        """AgentSets by class, as Mesa gives them."""
        self._build_agents()
        return super().agents_by_type
