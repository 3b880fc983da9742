"""Quality-infrastructure service stations (质量基础设施服务站)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Column, Row

__all__ = ["QI_STATION", "QIStation"]

QI_STATION: dict[str, Column] = {
    "county": Column("int32", "index", "county it serves from"),
    "online": Column("bool", "1", "serves every county"),
    "offers": Column("bool", "1", "elements it offers: management, metrology, standards, testing", width=4),
    "competence": Column("float64", "share", "probability that a case is solved, by element", width=4),
    "capacity": Column("float64", "cases/month", "cases it can serve in a month"),
    "credit": Column("float64", "cases", "part of a case left over from fractional capacity"),
    "fee": Column("float64", "CNY/case", "fee the firm pays for a case"),
    "extent": Column("float64", "share", "share of a full station's capacity and cost that it has", start=1),
    "programme": Column("bool", "1", "set up by the programme, known only to firms that it reached"),
    "received": Column("int64", "cases", "cases received so far"),
    "served": Column("int64", "cases", "cases served so far"),
    "solved": Column("int64", "cases", "cases served with success so far"),
    "withdrawn": Column("int64", "cases", "cases withdrawn so far"),
    "waited": Column("float64", "case-months", "months that the served cases had waited, summed"),
    "queue": Column("int64", "cases", "cases waiting at the end of the month"),
}


class QIStation(Row):
    """A one-stop station or a specialised testing or metrology centre, with its queue."""

    population: ClassVar[str] = "stations"

    @property
    def mean_wait(self) -> float:
        """Mean months a served case had waited; not a number before the first."""
        return float(self.waited / self.served) if self.served else float("nan")
