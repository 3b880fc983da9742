"""Firms: the chain leaders (链主) that sell to users and the member firms (链员) that supply them."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Column, Population, Row
from agents.help import HELP

__all__ = [
    "FIRM",
    "KINDS",
    "MANAGEMENT",
    "METROLOGY",
    "SIZE_CLASSES",
    "STANDARDS",
    "TESTING",
    "ChainLeader",
    "Firm",
    "MemberFirm",
    "firm_classes",
]

#: The four quality capabilities, and with them the four kinds of problem a firm can have.
KINDS = ("management", "metrology", "standards", "testing")
MANAGEMENT, METROLOGY, STANDARDS, TESTING = range(4)
#: Size classes by yearly revenue.
SIZE_CLASSES = ("small", "medium", "large")

FIRM: dict[str, Column] = {
    # where it stands
    "chain": Column("int32", "index", "industrial chain it mainly works for"),
    "tier": Column("int32", "links", "links to the nearest chain leader; leaders 0, -1 if none is reached"),
    "sector": Column("int32", "index", "sector of its product"),
    "county": Column("int32", "index", "county it stands in"),
    "size_class": Column("int32", "index", "0 small, 1 medium, 2 large, by yearly revenue"),
    "is_leader": Column("bool", "1", "chain leader: sells to users and answers for what reaches them"),
    "final_demand": Column("float64", "CNY/month", "demand of users"),
    "demand_start": Column("float64", "CNY/month", "demand of users at the start: what its brand stands for"),
    "entered": Column("int64", "month", "month in which the firm entered, if it is not of the start", start=-1_000_000),
    # what it can do
    "capability": Column("float64", "0-1", "management, metrology, standards, testing", width=4),
    "natural": Column("float64", "0-1", "capability it would fall back to unaided", width=4),
    "absorptive": Column("float64", "0-1", "absorptive capacity: how much of a lesson stays"),
    "base_dpu": Column("float64", "defects/unit", "own defects at zero management capability"),
    "cqo": Column("bool", "1", "has a chief quality officer"),
    "cqo_subsidy": Column("float64", "share", "share of the officer's pay that a programme bears"),
    "certified": Column("bool", "1", "holds a certificate of its management system: a signal, apart from capability"),
    "certificate_left": Column("int64", "months", "months for which the certificate is valid"),
    "knows_stations": Column("bool", "1", "knows the standing service stations"),
    "knows_programme": Column("bool", "1", "was reached by the programme of further stations"),
    # its product
    "output_since_renewal": Column("float64", "months", "output since the last product renewal, in months of steady output"),
    "learning": Column("float64", "1", "learning multiplier of own defects, 1 when learnt", start=1),
    "open_problems": Column("int64", "count", "own open quality problems by kind", width=4),
    "common_problems": Column("int64", "count", "open problems with a cause common to the chain, by kind", width=4),
    # what it makes and lets through
    "steady_orders": Column("float64", "CNY/month", "orders of the steady state it started from"),
    "orders": Column("float64", "CNY/month", "orders placed with it, to be shipped next month"),
    "output": Column("float64", "CNY/month", "what it ships this month"),
    "usual_output": Column("float64", "CNY/month", "its output, smoothed over about a year"),
    "users_ordered": Column("float64", "CNY/month", "part of the orders placed with it that users placed"),
    "elsewhere_ordered": Column(
        "float64", "CNY/month", "part of the orders placed with a member that come from outside, its customers here failing"
    ),
    "elsewhere": Column("float64", "CNY/month", "part of what it ships this month that goes there"),
    "to_users": Column("float64", "CNY/month", "part of what it ships this month that goes to users"),
    "own_dpu": Column("float64", "defects/unit", "own defects, detectable and latent"),
    "latent": Column("float64", "share", "share of its own defects that no inspection finds, as the month propagated"),
    "own_special": Column("float64", "defects/unit", "own defects from special causes (open problems)"),
    "inspection": Column("float64", "share", "share of output under final inspection"),
    "detection": Column("float64", "share", "probability that an inspection finds a detectable defect"),
    "false_alarm": Column("float64", "share", "probability that a good unit is rejected"),
    "before_final": Column("float64", "defects/unit", "detectable defects ahead of final inspection"),
    "out_detectable": Column("float64", "defects/unit", "detectable defects in what leaves"),
    "out_latent": Column("float64", "defects/unit", "latent defects in what leaves"),
    "reject": Column("float64", "share", "share of output rejected at final inspection, rightly or wrongly"),
    "scrap": Column("float64", "share", "share of output scrapped and made again"),
    # cost of quality (PAF), memo classification
    "prevention": Column("float64", "CNY/month", "prevention cost", monthly=True),
    "appraisal": Column("float64", "CNY/month", "appraisal cost"),
    "internal_failure": Column("float64", "CNY/month", "internal failure cost"),
    "external_failure": Column("float64", "CNY/month", "external failure cost, before charge-back"),
    "government_cost": Column("float64", "CNY/month", "programme money spent on it this month", monthly=True),
    "charged": Column("float64", "CNY/month", "charge-back that its customers put on it"),
    "recovered": Column("float64", "CNY/month", "charge-back that it puts on its suppliers"),
    # money
    "price": Column("float64", "CNY/CNY", "its price, cost-plus; 1 is the price of the start", start=1),
    "unit_cost": Column("float64", "CNY/CNY", "wages, overheads and outside materials per unit of output"),
    "goods_cost": Column("float64", "CNY/CNY", "materials and own cost per unit of output at present prices", start=1),
    "sales": Column("float64", "CNY/month", "what its output is sold for"),
    "cash": Column("float64", "CNY", "deposits; below 0 an overdraft", signed=True),
    "inventory": Column("float64", "CNY", "materials bought and not yet used"),
    "bank_debt": Column("float64", "CNY", "ordinary loans outstanding"),
    "programme_debt": Column("float64", "CNY", "strong-chain loans outstanding"),
    "programme_line": Column("float64", "CNY", "strong-chain loans that it may have outstanding"),
    "rate_discount": Column("float64", "share/year", "discount on the interest of its strong-chain loans that a programme bears"),
    "guaranteed": Column("float64", "share", "share of lenders' loss on its strong-chain loans that a programme bears"),
    "interest_borne": Column("float64", "CNY/month", "interest on its strong-chain loans that a programme bears"),
    "earnings": Column("float64", "CNY/month", "cash that this month's business brought in, financing apart", signed=True, monthly=True),
    "profit": Column("float64", "CNY/month", "earnings and the change of inventory", signed=True),
    "dividends": Column("float64", "CNY/month", "what its owners take out"),
    "fortune": Column("float64", "share", "windfall or misfortune as a share of sales, persistent", signed=True),
    "distress": Column("int64", "months", "months in a row with cash below the limit"),
    "exited": Column("bool", "1", "gave up this month; an entrant has taken its place", monthly=True),
    "written_off": Column("float64", "CNY/month", "loans to its predecessor in the place that lenders wrote off this month", monthly=True),
    # decisions
    "investment": Column("float64", "CNY/month", "what it spends on raising a capability", monthly=True),
    "borrowed": Column("float64", "CNY/month", "loans taken up this month", monthly=True),
    "credit_bound": Column("bool", "1", "wanted to invest at its last review and could not pay"),
    "solved_by_kind": Column("int64", "count", "own problems that it solved itself this month", width=4),
    "mapped": Column("float64", "share", "share of the chain head's doubt about it that visits have removed"),
    # market and oversight
    "brand": Column("float64", "defects/unit", "defects that users remember of its product"),
    "brand_start": Column("float64", "defects/unit", "what they remembered at the start"),
    "reputation": Column("float64", "ln", "what recalls have done to its appeal to users", signed=True),
    "recalls": Column("int64", "recalls", "recalls of its product this month", monthly=True),
    "recalled": Column("float64", "CNY/month", "products recalled this month, at the price of the start", monthly=True),
    "recall_due": Column("float64", "CNY", "cost of recalls that it has to bear next month"),
    "recall_cost": Column("float64", "CNY/month", "cost of recalls that it bears this month, a part of external failure"),
    "recalls_traced": Column("int64", "recalls", "recalls traced to it this month", monthly=True),
    "failed_month": Column("int64", "month", "month in which a sample of its product last failed", start=-1_000_000),
    "targeted": Column("bool", "1", "sampled this month because it is a risk"),
    "targeted_failed": Column("bool", "1", "sampled because it is a risk, and found not to conform"),
    # services
    "case_station": Column("int64", "row", "station where a case of each kind waits, -1 if none", width=4, start=-1),
    "case_month": Column("int64", "month", "month in which the waiting case was filed", width=4, start=-1),
    "case_tie": Column("float64", "1", "draw that orders cases filed in one month", width=4),
    "cases_filed": Column("int64", "cases", "cases filed this month", monthly=True),
    "cases_served": Column("int64", "cases", "cases served this month", monthly=True),
    "served_by_kind": Column("int64", "cases", "cases served this month by kind", width=4, monthly=True),
    "months_waited": Column("float64", "case-months", "months that its cases served this month had waited", monthly=True),
    "cases_solved": Column("int64", "cases", "cases served with success this month", monthly=True),
    "cases_withdrawn": Column("int64", "cases", "cases withdrawn this month", monthly=True),
    "sampled": Column("bool", "1", "sampled by the regulator this month"),
    "failed": Column("bool", "1", "sampled and found not to conform this month"),
    "problems_opened": Column("int64", "count", "problems that arose this month, own and common", monthly=True),
    "problems_closed": Column("int64", "count", "problems that ended this month, own and common", monthly=True),
    **HELP,
}


class Firm(Row):
    """A firm as a live view of its row: ``firm.orders`` reads and writes the column ``firms.orders``."""

    population: ClassVar[str] = "firms"

    @property
    def name(self) -> str:
        """Its name in the network."""
        return str(self.model.network.names[self.row])

    @property
    def size(self) -> str:
        """``"small"``, ``"medium"`` or ``"large"``."""
        return SIZE_CLASSES[self.size_class]

    @property
    def age(self) -> int:
        """Months since it entered, at least those of the burn-in and the run for a firm of the start."""
        return int(self.model.month - max(self.entered, -self.model.burn_in))

    @property
    def suppliers(self) -> list[int]:
        """Rows of the firms that supply it."""
        return [int(row) for row in self.model.network.suppliers_of(self.row)]

    @property
    def customers(self) -> list[int]:
        """Rows of the firms that it supplies."""
        return [int(row) for row in self.model.network.customers_of(self.row)]

    @property
    def copq(self) -> float:
        """Cost of poor quality this month in CNY: failures, and charge-backs borne less recovered."""
        return float(self.internal_failure + self.external_failure + self.charged - self.recovered)


class ChainLeader(Firm):
    """链主: sells to the market, qualifies and develops suppliers, carries warranty and recall."""


class MemberFirm(Firm):
    """链员: makes inputs for others."""


def firm_classes(firms: Population) -> list[type[Row]]:
    """Return the agent class of every row."""
    return [ChainLeader if leads else MemberFirm for leads in firms.is_leader.tolist()]
