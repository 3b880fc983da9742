"""A firm of the twin: its state as plain attributes, and its actions on the quality of its product.

Every state attribute has the name of the column with which it is compared.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import mesa

from sim.world import World
from tests.reference_model.inversions import binomial_count, normal_value, poisson_count
from tests.reference_model.world import TwinWorld

MANAGEMENT, METROLOGY, STANDARDS, TESTING = range(4)
#: Metrology at which the false alarms of `Parameters.false_alarm` are placed.
TYPICAL_METROLOGY = 0.4
#: Months over which usual output is smoothed.
USUAL_MONTHS = 12.0
#: Long before the first month.
NEVER = -1_000_000


def kp_share(defects: float, cost: float, failure: float, width: float) -> float:
    """Return the share to inspect by Deming's kp rule: all units where v · k2 exceeds k1, made smooth by a width."""
    expected = defects * failure
    if width == 0.0:
        return 1.0 if expected > cost else 0.0
    if expected <= 0.0:
        return 0.0
    if cost <= 0.0:
        return 1.0
    lean = (math.log(expected) - math.log(cost)) / width
    if lean < 0.0:
        return math.exp(lean) / (1.0 + math.exp(lean))
    return 1.0 / (1.0 + math.exp(-lean))


@dataclass(slots=True, eq=False)
class TwinLink:
    """A relation: what one firm buys from another, per unit of the customer."""

    row: int
    supplier: TwinFirm
    customer: TwinFirm
    slot: int
    value_share: float
    essential: bool
    relief: float
    rating: float
    age: int
    listed: int
    ordered: float
    delivered: float
    carried: float
    inspected: float
    interface: float
    caught: float
    passed_detectable: float
    passed_latent: float
    charge_back: float

    def start(self, usual: float) -> None:
        """Begin a relation without lessons and history; the customer expects the mean of the sector."""
        self.relief, self.rating, self.age, self.listed = 0.0, usual, 0, 0


class TwinFirm(mesa.Agent):
    """A firm; the links by which it buys and sells in two lists, its waiting cases in a dict by kind of problem."""

    model: TwinWorld
    # its place
    chain: int
    sector: int
    county: int
    size_class: int
    tier: int
    is_leader: bool
    entered: int
    # its capabilities
    capability: list[float]
    natural: list[float]
    absorptive: float
    base_dpu: float
    cqo: bool
    cqo_subsidy: float
    certified: bool
    certificate_left: int
    knows_stations: bool
    knows_programme: bool
    # its product
    output_since_renewal: float
    learning: float
    open_problems: list[int]
    common_problems: list[int]
    # its orders and its output
    final_demand: float
    demand_start: float
    steady_orders: float
    orders: float
    users_ordered: float
    elsewhere_ordered: float
    output: float
    usual_output: float
    to_users: float
    elsewhere: float
    # its defects
    own_dpu: float
    own_special: float
    inspection: float
    detection: float
    false_alarm: float
    before_final: float
    out_detectable: float
    out_latent: float
    reject: float
    scrap: float
    # cost of quality
    prevention: float
    appraisal: float
    internal_failure: float
    external_failure: float
    government_cost: float
    charged: float
    recovered: float
    # money
    price: float
    unit_cost: float
    goods_cost: float
    sales: float
    cash: float
    inventory: float
    bank_debt: float
    programme_debt: float
    programme_line: float
    guaranteed: float
    rate_discount: float
    interest_borne: float
    earnings: float
    profit: float
    dividends: float
    fortune: float
    distress: int
    exited: bool
    written_off: float
    # decisions
    investment: float
    borrowed: float
    credit_bound: bool
    solved_by_kind: list[int]
    # market and oversight
    brand: float
    brand_start: float
    reputation: float
    recalls: int
    recalled: float
    recall_due: float
    recall_cost: float
    recalls_traced: int
    failed_month: int
    sampled: bool
    failed: bool
    targeted: bool
    targeted_failed: bool
    # events of the month
    problems_opened: int
    problems_closed: int
    cases_filed: int
    cases_served: int
    cases_solved: int
    cases_withdrawn: int
    served_by_kind: list[int]
    months_waited: float

    def __init__(self, model: TwinWorld, place: int) -> None:
        super().__init__(model)
        self.place = place
        self.buys: list[TwinLink] = []  # in the order of the links
        self.sells: list[TwinLink] = []
        self.cases: dict[int, TwinCase] = {}
        self.learnt = [0.0] * 4  # gains and losses of capability of this month
        self.stock_before = 0.0
        for name, kind in STATE.items():
            setattr(self, name, copy.copy(NOTHING[kind]))

    def copy_columns(self, world: World) -> None:
        """Take its state from a model's columns."""
        for name in STATE:
            setattr(self, name, getattr(world.firms, name)[self.place].tolist())

    def succeed(self, other: TwinFirm, aware: float, lift: list[float]) -> None:
        """Take the place of a firm that has given up, with the state of the place and nothing else.

        Parameters
        ----------
        other : TwinFirm
        aware : float
            Share of firms that know the standing stations: its chance to know them.
        lift : list of float
            How much learning has raised firms of its size above their natural levels, by kind.
        """
        for name in WITH_THE_PLACE:
            setattr(self, name, copy.copy(getattr(other, name)))
        self.buys, self.sells = other.buys, other.sells
        for link in self.buys:
            link.customer = self
        for link in self.sells:
            link.supplier = self
        p = self.model.parameters
        self.entered, self.failed_month = self.model.month, NEVER
        self.learning = max(1.0, p.renewal_peak)  # a product that was just renewed
        self.brand = self.brand_start
        self.knows_stations = self.draw("entrant knows the standing stations") < aware
        self._draw_traits()
        self.natural = [max(0.0, now - above) for now, above in zip(self.capability, lift, strict=True)]

    def _draw_traits(self) -> None:
        """Draw the traits: logit-normal capabilities, partly common to the four; absorptive capacity; base defects."""
        p, size = self.model.parameters, self.size_class
        median = math.log(p.capability_mean[size] / (1.0 - p.capability_mean[size])) + p.entrant_shift
        common, separate = math.sqrt(p.capability_common), math.sqrt(1.0 - p.capability_common)
        shared = normal_value(self.draw("capability of the firm"))
        for kind in range(4):
            own = normal_value(self.draw("capability of a kind", kind))
            logit = median + p.capability_spread * (common * shared + separate * own)
            self.capability[kind] = 1.0 / (1.0 + math.exp(-logit))
        self.absorptive = min(1.0, max(0.0, p.absorptive_mean - 0.3 + 0.6 * self.draw("absorptive capacity")))
        self.base_dpu = p.base_dpu * p.base_dpu_size[size] * math.exp(p.base_dpu_spread * normal_value(self.draw("base defects")))

    def draw(self, decision: str, slot: int = 0) -> float:
        """Uniform of this month for its place."""
        return float(self.model.streams.uniform_at(decision, self.model.month, self.place, slot))

    def begin_month(self) -> None:
        """Set the counts of the month's events to 0."""
        self.problems_opened = self.problems_closed = 0
        self.cases_filed = self.cases_served = self.cases_solved = self.cases_withdrawn = 0
        self.served_by_kind, self.months_waited = [0, 0, 0, 0], 0.0
        self.prevention = self.government_cost = self.borrowed = self.investment = self.earnings = self.written_off = 0.0
        self.exited, self.recalls, self.recalled, self.recalls_traced = False, 0, 0.0, 0

    # -- money in and out ----------------------------------------------------------------------

    @property
    def side(self) -> str:
        """Its sector in the accounts."""
        return "leaders" if self.is_leader else "members"

    def pay(self, payee: str, purpose: str, amount: float) -> None:
        """Pay a sector for its business."""
        self.earnings -= amount
        self.hand_over(payee, purpose, amount)

    def earn(self, payer: str, purpose: str, amount: float) -> None:
        """Be paid by a sector for its business."""
        self.earnings += amount
        self.take_in(payer, purpose, amount)

    def hand_over(self, payee: str, purpose: str, amount: float) -> None:
        """Make payments that are no cost: debts, dividends, stocks."""
        self.cash -= amount
        self.model.books.pay(self.side, payee, purpose, amount)

    def take_in(self, payer: str, purpose: str, amount: float) -> None:
        """Receive money that is no income: loans, equity."""
        self.cash += amount
        self.model.books.pay(payer, self.side, purpose, amount)

    def pay_firm(self, other: TwinFirm, purpose: str, amount: float) -> None:
        """Pay another firm for business."""
        self.cash -= amount
        self.earnings -= amount
        other.cash += amount
        other.earnings += amount
        self.model.books.pay(self.side, other.side, purpose, amount)

    def monthly_sales(self) -> float:
        """Usual sales at its present price."""
        return self.usual_output * self.price

    def officer_pay(self) -> float:
        """Pay of a chief quality officer, CNY a month; small firms share one."""
        p = self.model.parameters
        return min(p.cqo_pay * p.cqo_part_time[self.size_class], p.cqo_pay_most * self.monthly_sales())

    # -- 3.2 orders --------------------------------------------------------------------------

    def ship(self) -> None:
        """Ship what was ordered last month."""
        self.output, self.to_users, self.elsewhere = self.orders, self.users_ordered, self.elsewhere_ordered
        self.usual_output += (self.output - self.usual_output) / USUAL_MONTHS
        for link in self.buys:
            link.delivered = link.ordered

    def order(self) -> None:
        """Order inputs for next month by this month's output, scrap included."""
        for link in self.buys:
            link.ordered = link.value_share * self.output * (1.0 + self.scrap)

    def take_orders(self) -> None:
        """q_j = F_j + Σ a_ij · q_i · (1 + scrap_i); an orphan sells elsewhere a part of its sales at the start."""
        self.users_ordered, self.elsewhere_ordered = self.final_demand, 0.0
        self.add_up_orders()
        if not self.is_leader:
            self.elsewhere_ordered = max(0.0, self.model.parameters.orphan_demand * self.steady_orders - self.orders)
            self.orders += self.elsewhere_ordered

    def add_up_orders(self) -> None:
        """Add up the orders of users, customers and others."""
        self.orders = self.users_ordered + sum(link.ordered for link in self.sells) + self.elsewhere_ordered

    # -- 3.3 own defects ---------------------------------------------------------------------

    def make(self, draws: list[float]) -> None:
        """Renew the product, or learn by making it; base · L · exp(-κ · management) + severity · open problems."""
        p = self.model.parameters
        if draws[self.place] < p.renewal_hazard:
            self.output_since_renewal = 0.0
            self.close_problems(sum(self.common_problems))
            self.common_problems = [0, 0, 0, 0]
        elif self.steady_orders > 0.0:
            self.output_since_renewal += self.output / self.steady_orders
        learnt = (1.0 + self.output_since_renewal / p.learning_scale) ** -p.learning_exponent
        self.learning = max(1.0, p.renewal_peak * learnt)
        common = self.base_dpu * self.learning * math.exp(-p.management_effect * self.capability[MANAGEMENT])
        self.own_special = p.severity * (sum(self.open_problems) + sum(self.common_problems))
        self.own_dpu = common + self.own_special

    # -- 3.5 incoming goods --------------------------------------------------------------------

    def decide_inspection(self) -> None:
        """Detection and false alarms from capabilities; shares inspected from last month's estimates."""
        p = self.model.parameters
        metrology, testing = self.capability[METROLOGY], self.capability[TESTING]
        by_testing = p.detection_low + (p.detection_high - p.detection_low) * testing
        self.detection = min(1.0, max(0.0, by_testing * (1.0 - p.metrology_loss * (1.0 - metrology))))
        self.false_alarm = min(1.0, max(0.0, p.false_alarm * (1.0 - metrology) / (1.0 - TYPICAL_METROLOGY)))
        for link in self.buys:
            link.inspected = kp_share(link.rating, p.incoming_cost, p.incoming_failure, p.kp_width)
        failure = p.field_cost if self.is_leader else p.final_failure
        self.inspection = kp_share(self.before_final, p.final_cost, failure, p.kp_width)

    def receive(self) -> None:
        """Receive what suppliers delivered last month, with the interface defects, and inspect it."""
        p = self.model.parameters
        for link in self.buys:
            supplier = link.supplier
            kept = min(self.capability[STANDARDS], supplier.capability[STANDARDS])
            link.interface = link.value_share * p.interface_dpu * (1.0 - kept)
            link.carried = link.value_share * (1.0 - link.relief)
            arriving = link.carried * supplier.out_detectable + link.interface
            caught_share = link.inspected * self.detection
            link.caught = caught_share * arriving
            link.passed_detectable = (1.0 - caught_share) * arriving
            link.passed_latent = link.carried * supplier.out_latent

    # -- 3.6 outgoing goods ---------------------------------------------------------------------

    def let_go(self) -> None:
        """Own and incoming defects, less those that final inspection finds; latent defects always pass."""
        p = self.model.parameters
        self.before_final = (1.0 - p.latent_share) * self.own_dpu
        self.out_latent = p.latent_share * self.own_dpu
        for link in self.buys:
            self.before_final += link.passed_detectable
            self.out_latent += link.passed_latent
        self.out_detectable = self.before_final * self.escape()
        clean = math.exp(-self.detection * self.before_final)
        self.reject = self.inspection * (1.0 - clean + self.false_alarm * clean)  # rightly, or wrongly
        self.scrap = p.scrap_share * self.reject

    def escape(self) -> float:
        """Share of detectable defects that pass final inspection."""
        return 1.0 - self.inspection * self.detection

    # -- 3.7 cost of quality -----------------------------------------------------------------

    def count_costs(self) -> None:
        """Prevention (paid at once), appraisal, internal and external failure (paid with everything else)."""
        p = self.model.parameters
        if self.cqo:
            self.prevent("chief quality officers", self.officer_pay() * (1.0 - self.cqo_subsidy))
        self.prevent("prevention", p.prevention_rate * self.capability[MANAGEMENT] * self.output)
        self.appraisal = p.final_cost * self.inspection * self.output
        for link in self.buys:
            self.appraisal += p.incoming_cost * link.inspected * link.value_share * self.output
        self.internal_failure = self.goods_cost * self.scrap * self.output + p.copq_scale * p.rework_cost * self.reworked()
        returned = self.out_detectable * self.elsewhere
        for link in self.sells:
            returned += link.caught * link.customer.output
        reaching_users = (self.out_detectable + self.out_latent) * self.to_users
        self.recall_cost, self.recall_due = self.recall_due, 0.0
        self.external_failure = p.copq_scale * p.return_cost * returned + p.field_cost * reaching_users + self.recall_cost

    def prevent(self, purpose: str, amount: float, payee: str = "households") -> None:
        """Pay for prevention."""
        self.prevention += amount
        self.pay(payee, purpose, amount)

    def reworked(self) -> float:
        """Output that is rejected and not scrapped."""
        return (self.reject - self.scrap) * self.output

    def charge_suppliers(self) -> None:
        """cb_ij = traceability · passed_ij / D_i · (failure of i, recalls apart, + what i was charged last month)."""
        p = self.model.parameters
        defects = self.before_final + self.out_latent
        to_share = self.internal_failure + (self.external_failure - self.recall_cost) + self.charged
        self.recovered = 0.0
        for link in self.buys:
            passed = link.passed_detectable + link.passed_latent
            link.charge_back = p.traceability * passed / defects * to_share if defects > 0.0 else 0.0
            self.recovered += link.charge_back

    def be_charged(self) -> None:
        """Bear the charge-back of customers this month."""
        self.charged = sum(link.charge_back for link in self.sells)

    def borne(self) -> float:
        """Cost of poor quality that it bears, including charge-back paid and received."""
        return self.internal_failure + self.external_failure + self.charged - self.recovered

    def seen_per_defect(self) -> float:
        """The cost of one more defect per unit that it sees; without an officer it sees about a third."""
        p = self.model.parameters
        defects = self.before_final + self.out_latent
        if defects <= 0.0 or self.borne() <= 0.0:
            return 0.0
        return (p.cqo_visibility if self.cqo else p.visibility) * self.borne() / defects

    # -- 3.8 problems ------------------------------------------------------------------------

    def solving_hazard(self) -> float:
        """0.031^(1-m) · 0.5^m a month; an officer speeds this up."""
        p = self.model.parameters
        m = self.capability[MANAGEMENT]
        left = 1.0 - p.solving_low ** (1.0 - m) * p.solving_high**m
        return 1.0 - left ** (1.0 + p.cqo_solving) if self.cqo else 1.0 - left

    def months_of_a_problem(self) -> float:
        """Expected months until it solves a problem alone, at most 1,000."""
        return 1.0 / max(self.solving_hazard(), 0.001)

    def problems_a_month(self, kind: int) -> float:
        """Problems of a kind that arise in a month without any capability."""
        p = self.model.parameters
        return p.problem_rate[kind] * p.problem_size[self.size_class] * self.learning

    def open_up(self, problems: int) -> None:
        """Count problems that arose."""
        self.problems_opened += problems
        self.model.counts["problems opened"] += problems

    def close_problems(self, problems: int) -> None:
        """Count problems that ended."""
        self.problems_closed += problems
        self.model.counts["problems closed"] += problems

    def meet_problems(self, solving: list[list[float]], arising: list[list[float]]) -> None:
        """Solve some of the problems that were open, then meet new ones."""
        hazard = self.solving_hazard()
        for kind in range(4):
            solved = binomial_count(solving[self.place][kind], self.open_problems[kind], hazard)
            arisen = poisson_count(arising[self.place][kind], self.problems_a_month(kind) * (1.0 - self.capability[kind]))
            self.open_problems[kind] += arisen - solved
            self.solved_by_kind[kind] = solved
            self.close_problems(solved)
            self.open_up(arisen)

    def common_cause_ends(self, kind: int) -> None:
        """End the problem of this cause."""
        self.close_problems(self.common_problems[kind])
        self.common_problems[kind] = 0

    def common_cause_begins(self, kind: int, draws: list[list[float]]) -> None:
        """Get the problem of this cause, or not."""
        if draws[self.place][kind] < self.model.parameters.common_cause_exposure:
            self.common_problems[kind] += 1
            self.open_up(1)

    def gain(self, kind: int, share: float) -> None:
        """Gain a share of the missing capability, as far as it can absorb it."""
        self.capability[kind] += share * self.absorptive * (1.0 - self.capability[kind])


#: State attributes, each with the name of its type.
STATE: dict[str, str] = {name: kind for name, kind in TwinFirm.__annotations__.items() if name != "model"}
#: The empty value of each type.
NOTHING = {"int": 0, "float": 0.0, "bool": False, "list[int]": [0] * 4, "list[float]": [0.0] * 4}
#: State that an entrant takes over with the place. All its other state is new or empty.
WITH_THE_PLACE = (
    # the place, its costs and its customers
    "chain", "sector", "county", "size_class", "tier", "is_leader", "unit_cost", "goods_cost", "price", "demand_start", "brand_start",
    "final_demand", "steady_orders", "orders", "users_ordered", "elsewhere_ordered", "usual_output",
    # this month's goods, made by the predecessor
    "output", "to_users", "elsewhere", "sales", "own_dpu", "own_special", "inspection", "detection", "false_alarm", "before_final",
    "out_detectable", "out_latent", "reject", "scrap",
    # this month's events in the place
    "prevention", "appraisal", "internal_failure", "external_failure", "government_cost", "recovered", "profit", "dividends",
    "exited", "written_off", "earnings", "recall_cost", "recalls", "recalled", "recalls_traced", "sampled", "failed", "targeted",
    "targeted_failed", "investment", "borrowed", "solved_by_kind", "problems_opened", "problems_closed", "cases_filed",
    "cases_served", "cases_solved", "cases_withdrawn", "served_by_kind", "months_waited",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class TwinCase:
    """A case that waits at a station."""

    firm: TwinFirm
    station: mesa.Agent  # a TwinStation
    kind: int
    month: int
    tie: float

    def turn(self) -> tuple[int, float, int]:
        """Sort key of its place in the queue: arrival, draw, place of the firm."""
        return self.month, self.tie, self.firm.place
