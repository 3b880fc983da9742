"""Quality-infrastructure service stations (质量基础设施服务站)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Flags, Floats, Indices, Ints, Population, Row, column

__all__ = ["QIStation", "Stations"]


class Stations(Population):
    """State of the service stations."""

    county: Indices = column("index", "county it serves from")
    region: Indices = column("index", "region in which it is")
    online: Flags = column("1", "serves every county of its region")
    offers: Flags = column("1", "elements it offers: management, metrology, standards, testing", width=4)
    competence: Floats = column("share", "probability that a case is solved, by element", width=4)
    capacity: Floats = column("cases/month", "cases it can serve in a month")
    credit: Floats = column("cases", "unused fraction of a case, because capacity need not be a whole number")
    fee: Floats = column("CNY/case", "fee the firm pays for a case")
    extent: Floats = column("share", "share of a full station's capacity and cost that it has", start=1)
    programme: Flags = column("1", "set up by the programme; only firms that it reached know it")
    received: Ints = column("cases", "cases received so far")
    served: Ints = column("cases", "cases served so far")
    solved: Ints = column("cases", "cases whose problem was solved so far")
    withdrawn: Ints = column("cases", "cases withdrawn so far")
    waited: Floats = column("case-months", "total months that the served cases had waited")
    queue: Ints = column("cases", "cases waiting at the end of the month")


class QIStation(Row):
    """A one-stop station or a specialised testing or metrology centre, with its queue."""

    population: ClassVar[str] = "stations"

    @property
    def mean_wait(self) -> float:
        """Mean months a served case had waited; not a number before the first."""
        return float(self.waited / self.served) if self.served else float("nan")
