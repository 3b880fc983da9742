"""Firms: the chain leaders (链主) that sell to users and the member firms (链员) that supply them."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Flags, Floats, Indices, Ints, Row, column
from agents.help import Help

__all__ = [
    "KINDS",
    "MANAGEMENT",
    "METROLOGY",
    "SIZE_CLASSES",
    "STANDARDS",
    "TESTING",
    "ChainLeader",
    "Firm",
    "Firms",
    "MemberFirm",
    "firm_classes",
]

#: The four quality capabilities, and with them the four kinds of problem a firm can have.
KINDS = ("management", "metrology", "standards", "testing")
MANAGEMENT, METROLOGY, STANDARDS, TESTING = range(4)
#: Size classes by yearly revenue.
SIZE_CLASSES = ("small", "medium", "large")


class Firms(Help):
    """State of the firms."""

    # its place
    chain: Indices = column("index", "industrial chain it mainly works for")
    tier: Indices = column("links", "links to the nearest chain leader; leaders 0, -1 if none is reached")
    sector: Indices = column("index", "sector of its product")
    county: Indices = column("index", "county in which it is")
    region: Indices = column("index", "region in which it is")
    size_class: Indices = column("index", "0 small, 1 medium, 2 large, by yearly revenue")
    is_leader: Flags = column("1", "chain leader: sells to users and is liable for the defects that reach them")
    final_demand: Floats = column("CNY/month", "demand of users")
    demand_start: Floats = column("CNY/month", "demand of users at the start: the strength of its brand")
    entered: Ints = column("month", "month in which the firm entered; firms of the start have none", start=-1_000_000)
    # its capabilities
    capability: Floats = column("0-1", "management, metrology, standards, testing", width=4)
    natural: Floats = column("0-1", "capability to which it falls back without learning", width=4)
    absorptive: Floats = column("0-1", "absorptive capacity: share of a lesson that it keeps")
    base_dpu: Floats = column("defects/unit", "own defects at zero management capability")
    cqo: Flags = column("1", "has a chief quality officer")
    cqo_subsidy: Floats = column("share", "share of the officer's pay that a programme bears")
    certified: Flags = column("1", "holds a certificate of its management system: a signal, apart from capability")
    certificate_left: Ints = column("months", "months for which the certificate is valid")
    knows_stations: Flags = column("1", "knows the standing service stations")
    knows_programme: Flags = column("1", "was reached by the programme that sets up more stations")
    # its product
    output_since_renewal: Floats = column("months", "output since the last product renewal, in months of steady output")
    learning: Floats = column("1", "learning multiplier of own defects; 1 when all is learnt", start=1)
    open_problems: Ints = column("count", "own open quality problems by kind", width=4)
    common_problems: Ints = column("count", "open common problems (one cause for the chain), by kind", width=4)
    # its output and its defects
    steady_orders: Floats = column("CNY/month", "orders of the steady state it started from")
    orders: Floats = column("CNY/month", "orders placed with it, to be shipped next month")
    output: Floats = column("CNY/month", "its output, shipped this month")
    usual_output: Floats = column("CNY/month", "its output, smoothed over about a year")
    users_ordered: Floats = column("CNY/month", "part of its orders that comes from users")
    elsewhere_ordered: Floats = column("CNY/month", "part of a member's orders that comes from outside, because it has lost its customers")
    elsewhere: Floats = column("CNY/month", "part of this month's output that goes outside")
    to_users: Floats = column("CNY/month", "part of this month's output that goes to users")
    own_dpu: Floats = column("defects/unit", "own defects, detectable and latent")
    latent: Floats = column("share", "share of its own defects that no inspection finds, as used by this month's propagation")
    own_special: Floats = column("defects/unit", "own defects from special causes (open problems)")
    inspection: Floats = column("share", "share of output under final inspection")
    detection: Floats = column("share", "probability that an inspection finds a detectable defect")
    false_alarm: Floats = column("share", "probability that a good unit is rejected")
    before_final: Floats = column("defects/unit", "detectable defects ahead of final inspection")
    out_detectable: Floats = column("defects/unit", "detectable defects in what it delivers")
    out_latent: Floats = column("defects/unit", "latent defects in what it delivers")
    reject: Floats = column("share", "share of output rejected at final inspection, rightly or wrongly")
    scrap: Floats = column("share", "share of output scrapped and made again")
    # shocks of this month (sim/shocks); without one all are 0
    shock_defects: Floats = column("defects/unit", "own defects that a shock adds this month", monthly=True)
    shock_latent: Floats = column("share", "share of these that no inspection finds", monthly=True)
    demand_lost: Floats = column("share", "share of users' orders that a shock takes away; below 0 it adds", signed=True, monthly=True)
    outage: Floats = column("share", "share of its orders that a shock keeps it from delivering this month", monthly=True)
    shortfall: Floats = column("share", "share of its orders that it does not deliver this month")
    # cost of quality (PAF), memo classification
    prevention: Floats = column("CNY/month", "prevention cost", monthly=True)
    appraisal: Floats = column("CNY/month", "appraisal cost")
    internal_failure: Floats = column("CNY/month", "internal failure cost")
    external_failure: Floats = column("CNY/month", "external failure cost, before charge-back")
    government_cost: Floats = column("CNY/month", "programme money spent on it this month", monthly=True)
    charged: Floats = column("CNY/month", "charge-back from its customers")
    recovered: Floats = column("CNY/month", "charge-back to its suppliers")
    # money
    price: Floats = column("CNY/CNY", "its price, cost-plus; 1 is the price of the start", start=1)
    unit_cost: Floats = column("CNY/CNY", "wages, overheads and outside materials per unit of output")
    goods_cost: Floats = column("CNY/CNY", "cost of materials and own cost per unit of output at present prices", start=1)
    sales: Floats = column("CNY/month", "what its output is sold for")
    cash: Floats = column("CNY", "deposits; below 0 an overdraft", signed=True)
    inventory: Floats = column("CNY", "materials bought and not yet used")
    bank_debt: Floats = column("CNY", "ordinary loans outstanding")
    programme_debt: Floats = column("CNY", "strong-chain loans outstanding")
    programme_line: Floats = column("CNY", "most strong-chain loans that it may have outstanding")
    rate_discount: Floats = column("share/year", "discount on the interest of its strong-chain loans that a programme bears")
    guaranteed: Floats = column("share", "share of lenders' loss on its strong-chain loans that a programme bears")
    interest_borne: Floats = column("CNY/month", "interest on its strong-chain loans that a programme bears")
    earnings: Floats = column("CNY/month", "cash from this month's business, without financing", signed=True, monthly=True)
    profit: Floats = column("CNY/month", "earnings and the change of inventory", signed=True)
    dividends: Floats = column("CNY/month", "dividend to its owners")
    fortune: Floats = column("share", "random gain or loss that lasts for some time, as a share of sales", signed=True)
    distress: Ints = column("months", "months in a row with cash below the limit")
    exited: Flags = column("1", "gave up this month; an entrant has taken its place", monthly=True)
    written_off: Floats = column("CNY/month", "loans to its predecessor in this place that lenders wrote off this month", monthly=True)
    # decisions
    investment: Floats = column("CNY/month", "spending on a step of capability", monthly=True)
    borrowed: Floats = column("CNY/month", "loans taken up this month", monthly=True)
    credit_bound: Flags = column("1", "wanted to invest at its last review and could not pay")
    solved_by_kind: Ints = column("count", "own problems that it solved itself this month", width=4)
    mapped: Floats = column("share", "share of the chain head's error about it that visits have removed")
    # market and oversight
    brand: Floats = column("defects/unit", "defects that users remember of its product")
    brand_start: Floats = column("defects/unit", "defects that users remembered at the start")
    reputation: Floats = column("ln", "change of its appeal to users because of recalls", signed=True)
    recalls: Ints = column("recalls", "recalls of its product this month", monthly=True)
    recalled: Floats = column("CNY/month", "products recalled this month, at the price of the start", monthly=True)
    recall_due: Floats = column("CNY", "cost of recalls that it has to bear next month")
    recall_cost: Floats = column("CNY/month", "cost of recalls that it bears this month, a part of external failure")
    recalls_traced: Ints = column("recalls", "recalls traced to it this month", monthly=True)
    failed_month: Ints = column("month", "month in which a sample of its product last failed", start=-1_000_000)
    targeted: Flags = column("1", "sampled this month because it is a risk")
    targeted_failed: Flags = column("1", "sampled because it is a risk, and the sample does not conform")
    # services
    case_station: Ints = column("row", "station where a case of each kind waits, -1 if none", width=4, start=-1)
    case_month: Ints = column("month", "month in which the waiting case was filed", width=4, start=-1)
    case_tie: Floats = column("1", "random number that orders cases filed in one month", width=4)
    cases_filed: Ints = column("cases", "cases filed this month", monthly=True)
    cases_served: Ints = column("cases", "cases served this month", monthly=True)
    served_by_kind: Ints = column("cases", "cases served this month by kind", width=4, monthly=True)
    months_waited: Floats = column("case-months", "months that its cases served this month had waited", monthly=True)
    cases_solved: Ints = column("cases", "cases whose problem was solved this month", monthly=True)
    cases_withdrawn: Ints = column("cases", "cases withdrawn this month", monthly=True)
    sampled: Flags = column("1", "sampled by the regulator this month")
    failed: Flags = column("1", "sampled this month, and the sample does not conform")
    problems_opened: Ints = column("count", "problems that arose this month, own and common", monthly=True)
    problems_closed: Ints = column("count", "problems that ended this month, own and common", monthly=True)


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


def firm_classes(firms: Firms) -> list[type[Row]]:
    """Return the agent class of every row."""
    return [ChainLeader if leads else MemberFirm for leads in firms.is_leader.tolist()]
