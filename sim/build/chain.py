"""A chain with a name: what its tiers make, who leads it, which kinds of problem it has, and where its firms cluster."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from sim.parameters import ParameterError, check_ranges, parameter

__all__ = ["NamedChain"]


@dataclass(frozen=True, kw_only=True)
class NamedChain:
    """An industrial chain by its name.

    `sources` gives for every figure the id of the fact from which it was read and, in 「」, the words of the document; or the word
    "assumption".

    Attributes
    ----------
    key : str
        name of the chain in results
    label : str
        what reports call the chain
    label_zh : str
        the same in Chinese
    home : str
        region in which documents name it
    county : str
        county or specialised town (专业镇) in which its firms cluster; if empty, the region's county of that turn
    makes : tuple of str
        what each tier makes, leaders first
    makes_zh : tuple of str
        the same in Chinese
    sources : dict of str to str
        where the figures of the chain come from, by their names
    """

    key: str = ""
    label: str = ""
    label_zh: str = ""
    home: str = ""
    county: str = ""
    makes: tuple[str, ...] = ()
    makes_zh: tuple[str, ...] = ()
    leaders: int = parameter(2, 1, 1_000, "firms", "assumption", "N", "chain leaders (链主) of the chain")
    firms: int = parameter(
        0, 0, 1_000_000, "firms", "assumption", "N", "firms on the chain, leaders included; 0: as many as a chain of the region has"
    )
    tier_shares: tuple[float, ...] = parameter(
        (0.25, 0.30, 0.25, 0.13, 0.07), 0.0, 1.0, "share", "assumption", "N", "relative numbers of members in tiers 1, 2, …"
    )
    problem_mix: tuple[float, float, float, float] = parameter(
        (1.0, 1.0, 1.0, 1.0), 0.0, 10.0, "1", "assumption", "N",
        "how often problems of each kind (management, metrology, standards, testing) arise, as a multiple of other chains",
    )  # fmt: skip
    clustering: float = parameter(0.0, 0.0, 1.0, "share", "assumption", "N", "share of its firms that are in its county in any case")
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values outside their ranges, and texts that do not fit the tiers."""
        for name in ("makes", "makes_zh", "tier_shares", "problem_mix"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_ranges(self, f"chain.{self.key}.")
        where = f"chain.{self.key}"
        if not sum(self.tier_shares) > 0:
            raise ParameterError(f"{where}.tier_shares is {self.tier_shares!r}; at least one entry must be above 0")
        goods = len(self.tier_shares) + 1
        for name in ("makes", "makes_zh"):
            if (given := getattr(self, name)) and len(given) != goods:
                raise ParameterError(f"{where}.{name} names {len(given)} goods; it must name {goods}: those of leaders and of each tier")
        if 0 < self.firms <= self.leaders:
            raise ParameterError(f"{where}.firms is {self.firms}, not more than its {self.leaders} leaders, who are among them")
        if unknown := set(self.sources) - {f.name for f in fields(self)}:
            raise ParameterError(f"{where}.sources names {sorted(unknown)[0]!r}, which is no figure of a chain")
