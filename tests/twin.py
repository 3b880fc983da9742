"""A second, independent implementation of the month: plain Mesa agents, one at a time.

It is the oracle for `sim`: written from the equations, in loops over agents and their links, with
its own inversion of Poisson and binomial. It starts from a snapshot of a model's state and then
runs alone; only the uniforms are shared. It covers orders, own defects, inspection, propagation,
the cost of quality and charge-back, problems, services and random sampling. Programmes are
not run: what they did before the snapshot (officers, stations, who knows of them) stays, and so
does the support they go on paying.

Firms, links and stations that have left the world are not here at all, so that agreement with the
columns also says that the dead make no difference to the living.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mesa

from agents.streams import Streams
from sim.parameters import Parameters
from sim.world import World

MANAGEMENT, METROLOGY, STANDARDS, TESTING = range(4)
#: Metrology at which the false alarms of `Parameters.false_alarm` are placed.
TYPICAL_METROLOGY = 0.4


def poisson_count(u: float, mean: float) -> int:
    """Return the smallest k at which the Poisson distribution exceeds u."""
    term = below = math.exp(-mean)
    k = 0
    while u >= below:
        k += 1
        term *= mean / k
        if below + term == below:  # u lies within rounding of one
            break
        below += term
    return k


def binomial_count(u: float, n: int, p: float) -> int:
    """Return the smallest k at which the binomial distribution exceeds u."""
    if p >= 1.0:
        return n
    below = 0.0
    for k in range(n):
        below += math.comb(n, k) * p**k * (1.0 - p) ** (n - k)
        if u < below:
            return k
    return n


def kp_share(defects: float, cost: float, failure: float, width: float) -> float:
    """Return the share to inspect by Deming's kp rule: all where v · k2 exceeds k1, softened by a width."""
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
    """A relation: what one firm buys of another, per unit of the customer."""

    row: int
    supplier: TwinFirm
    customer: TwinFirm
    value_share: float
    relief: float
    rating: float
    age: int
    inspected: float
    interface: float
    caught: float
    passed_detectable: float
    passed_latent: float
    charge_back: float


@dataclass(slots=True, eq=False)
class TwinCase:
    """A case that waits at a station."""

    firm: TwinFirm
    station: TwinStation
    kind: int
    month: int
    tie: float

    def turn(self) -> tuple[int, float, int]:
        """Sort key of its place in the queue: arrival, draw, place of the firm."""
        return self.month, self.tie, self.firm.place


class TwinFirm(mesa.Agent):
    """A firm with its state as plain attributes, its links in two dicts, its waiting cases in a third."""

    model: TwinModel

    def __init__(self, model: TwinModel, world: World, place: int) -> None:
        super().__init__(model)
        self.place = place
        self.buys: dict[int, TwinLink] = {}  # by the supplier's place
        self.sells: dict[int, TwinLink] = {}  # by the customer's place
        self.cases: dict[int, TwinCase] = {}  # by kind
        firms = world.firms
        # where it stands and what it can do
        self.chain = int(firms.chain[place])
        self.county = int(firms.county[place])
        self.size_class = int(firms.size_class[place])
        self.is_leader = bool(firms.is_leader[place])
        self.final_demand = float(firms.final_demand[place])
        self.capability: list[float] = firms.capability[place].tolist()
        self.absorptive = float(firms.absorptive[place])
        self.base_dpu = float(firms.base_dpu[place])
        self.cqo = bool(firms.cqo[place])
        self.cqo_subsidy = float(firms.cqo_subsidy[place])
        self.knows_stations = bool(firms.knows_stations[place])
        self.knows_programme = bool(firms.knows_programme[place])
        # its product
        self.output_since_renewal = float(firms.output_since_renewal[place])
        self.learning = float(firms.learning[place])
        self.open_problems: list[int] = firms.open_problems[place].tolist()
        self.common_problems: list[int] = firms.common_problems[place].tolist()
        # what it makes and lets through
        self.steady_orders = float(firms.steady_orders[place])
        self.orders = float(firms.orders[place])
        self.output = float(firms.output[place])
        self.own_dpu = float(firms.own_dpu[place])
        self.own_special = float(firms.own_special[place])
        self.inspection = float(firms.inspection[place])
        self.detection = float(firms.detection[place])
        self.false_alarm = float(firms.false_alarm[place])
        self.before_final = float(firms.before_final[place])
        self.out_detectable = float(firms.out_detectable[place])
        self.out_latent = float(firms.out_latent[place])
        self.reject = float(firms.reject[place])
        self.scrap = float(firms.scrap[place])
        # cost of quality
        self.prevention = float(firms.prevention[place])
        self.appraisal = float(firms.appraisal[place])
        self.internal_failure = float(firms.internal_failure[place])
        self.external_failure = float(firms.external_failure[place])
        self.government_cost = float(firms.government_cost[place])
        self.charged = float(firms.charged[place])
        self.recovered = float(firms.recovered[place])
        # events of the month
        self.clear()
        self.sampled = self.failed = False

    def clear(self) -> None:
        """Clear what counts the events of one month."""
        self.cases_filed = self.cases_served = self.cases_solved = self.cases_withdrawn = 0
        self.served_by_kind, self.months_waited = [0, 0, 0, 0], 0
        self.problems_opened = self.problems_closed = 0

    # -- 3.1 what programmes go on paying ----------------------------------------------------

    def begin_month(self) -> None:
        """Clear the events of the month and note the support that goes on."""
        self.clear()
        self.prevention = 0.0
        subsidy = self.cqo_subsidy * self.officer_pay() if self.cqo else 0.0
        self.government_cost = subsidy + self.model.station_support / self.model.living

    def officer_pay(self) -> float:
        """Pay of a chief quality officer, CNY a month; small firms share one."""
        p = self.model.parameters
        return p.cqo_pay * p.cqo_part_time[self.size_class]

    # -- 3.2 orders --------------------------------------------------------------------------

    def ship(self) -> None:
        """Ship what was ordered last month."""
        self.output = self.orders

    def take_orders(self) -> None:
        """q_j = F_j + Σ a_ij · q_i · (1 + scrap_i), to be shipped next month."""
        self.orders = self.final_demand
        for link in self.sells.values():
            customer = link.customer
            self.orders += link.value_share * customer.output * (1.0 + customer.scrap)

    # -- 3.3 own defects ---------------------------------------------------------------------

    def make(self, luck: list[float]) -> None:
        """Renew the product or learn on it; base · L · exp(-κ · management) + severity · open problems."""
        p = self.model.parameters
        if luck[self.place] < p.renewal_hazard:
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

    # -- 3.5 what arrives --------------------------------------------------------------------

    def decide_inspection(self) -> None:
        """Detection and false alarms from capabilities; shares inspected from last month's estimates."""
        p = self.model.parameters
        metrology, testing = self.capability[METROLOGY], self.capability[TESTING]
        found = p.detection_low + (p.detection_high - p.detection_low) * testing
        self.detection = min(1.0, max(0.0, found * (1.0 - p.metrology_loss * (1.0 - metrology))))
        self.false_alarm = min(1.0, max(0.0, p.false_alarm * (1.0 - metrology) / (1.0 - TYPICAL_METROLOGY)))
        for link in self.buys.values():
            link.inspected = kp_share(link.rating, p.incoming_cost, p.incoming_failure, p.kp_width)
        failure = p.field_cost if self.is_leader else p.final_failure
        self.inspection = kp_share(self.before_final, p.final_cost, failure, p.kp_width)

    def receive(self) -> None:
        """Take in what suppliers let go last month, with the interface defects, and inspect it."""
        p = self.model.parameters
        for link in self.buys.values():
            supplier = link.supplier
            kept = min(self.capability[STANDARDS], supplier.capability[STANDARDS])
            link.interface = link.value_share * p.interface_dpu * (1.0 - kept)
            arriving = link.value_share * supplier.out_detectable * (1.0 - link.relief) + link.interface
            caught_share = link.inspected * self.detection
            link.caught = caught_share * arriving
            link.passed_detectable = (1.0 - caught_share) * arriving
            link.passed_latent = link.value_share * supplier.out_latent * (1.0 - link.relief)
            link.age += 1
            seen = (link.caught + p.line_visibility * link.passed_detectable) / link.value_share if link.value_share else 0.0
            link.rating += p.rating_weight * (seen - link.rating)

    # -- 3.6 what leaves ---------------------------------------------------------------------

    def let_go(self) -> None:
        """Own defects and those let in, less what final inspection finds; latent ones always pass."""
        p = self.model.parameters
        self.before_final = (1.0 - p.latent_share) * self.own_dpu
        self.out_latent = p.latent_share * self.own_dpu
        for link in self.buys.values():
            self.before_final += link.passed_detectable
            self.out_latent += link.passed_latent
        self.out_detectable = self.before_final * (1.0 - self.inspection * self.detection)
        clean = math.exp(-self.detection * self.before_final)
        self.reject = self.inspection * (1.0 - clean + self.false_alarm * clean)  # rightly, or wrongly
        self.scrap = p.scrap_share * self.reject

    # -- 3.7 cost of quality -----------------------------------------------------------------

    def count_costs(self) -> None:
        """Prevention, appraisal, internal and external failure."""
        p = self.model.parameters
        self.prevention += p.prevention_rate * self.capability[MANAGEMENT] * self.output
        if self.cqo:
            self.prevention += self.officer_pay() * (1.0 - self.cqo_subsidy)
        self.appraisal = p.final_cost * self.inspection * self.output
        for link in self.buys.values():
            self.appraisal += p.incoming_cost * link.inspected * link.value_share * self.output
        scrapped, reworked = self.scrap * self.output, (self.reject - self.scrap) * self.output
        self.internal_failure = scrapped + p.rework_cost * reworked
        returned = 0.0
        for link in self.sells.values():
            returned += link.caught * link.customer.output
        found_by_users = (self.out_detectable + self.out_latent) * min(self.final_demand, self.output)
        self.external_failure = p.return_cost * returned + p.field_cost * found_by_users

    def charge_suppliers(self) -> None:
        """cb_ij = traceability · passed_ij / D_i · (failure of i + what i was charged last month)."""
        p = self.model.parameters
        defects = self.before_final + self.out_latent
        to_share = self.internal_failure + self.external_failure + self.charged
        self.recovered = 0.0
        for link in self.buys.values():
            passed = link.passed_detectable + link.passed_latent
            link.charge_back = p.traceability * passed / defects * to_share if defects > 0.0 else 0.0
            self.recovered += link.charge_back

    def be_charged(self) -> None:
        """Bear what customers charge back this month."""
        self.charged = 0.0
        for link in self.sells.values():
            self.charged += link.charge_back

    # -- 3.8 problems ------------------------------------------------------------------------

    def solving_hazard(self) -> float:
        """0.031^(1-m) · 0.5^m a month; an officer makes time run faster."""
        p = self.model.parameters
        m = self.capability[MANAGEMENT]
        left = 1.0 - p.solving_low ** (1.0 - m) * p.solving_high**m
        return 1.0 - left ** (1.0 + p.cqo_solving) if self.cqo else 1.0 - left

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
        p = self.model.parameters
        hazard = self.solving_hazard()
        for kind in range(4):
            solved = binomial_count(solving[self.place][kind], self.open_problems[kind], hazard)
            rate = p.problem_rate[kind] * p.problem_size[self.size_class] * self.learning * (1.0 - self.capability[kind])
            arisen = poisson_count(arising[self.place][kind], rate)
            self.open_problems[kind] += arisen - solved
            self.close_problems(solved)
            self.open_up(arisen)

    def common_cause_ends(self, kind: int) -> None:
        """Have the problem no more."""
        self.close_problems(self.common_problems[kind])
        self.common_problems[kind] = 0

    def common_cause_begins(self, kind: int, luck: list[list[float]]) -> None:
        """Be hit by it, or not."""
        if luck[self.place][kind] < self.model.parameters.common_cause_exposure:
            self.common_problems[kind] += 1
            self.open_up(1)

    # -- 3.8 services ------------------------------------------------------------------------

    def withdraw(self) -> None:
        """Withdraw the cases that waited too long or have no problem left."""
        for kind, case in list(self.cases.items()):
            if self.model.month - case.month >= self.model.parameters.patience or self.open_problems[kind] == 0:
                del self.cases[kind]
                case.station.waiting.remove(case)
                case.station.withdrawn += 1
                self.cases_withdrawn += 1
                self.model.counts["cases withdrawn"] += 1

    def worth_of_a_solution(self) -> float:
        """CNY that it thinks one problem less is worth until it would have solved it alone, 1,000 months at most."""
        p = self.model.parameters
        defects = self.before_final + self.out_latent
        borne = self.internal_failure + self.external_failure + self.charged - self.recovered
        if defects <= 0.0 or borne <= 0.0:
            return 0.0
        seen = p.cqo_visibility if self.cqo else p.visibility
        return seen * borne / defects * p.severity / max(self.solving_hazard(), 0.001)

    def choose_station(self, first: list[list[float]], where: list[float]) -> tuple[int, TwinStation] | None:
        """Choose the most numerous problem that some station could take, and one of those stations."""
        if not (self.knows_stations or self.knows_programme) or not any(self.open_problems):
            return None
        worth = self.worth_of_a_solution()
        best: tuple[float, int, list[TwinStation]] | None = None
        for kind in range(4):
            if self.open_problems[kind] == 0 or kind in self.cases:
                continue
            usable = [station for station in self.model.stations if station.serves(self, kind, worth)]
            urgency = self.open_problems[kind] + first[self.place][kind]
            if usable and (best is None or urgency > best[0]):
                best = urgency, kind, usable
        if best is None:
            return None
        _, kind, usable = best
        appeal = [station.capacity / (1.0 + len(station.waiting)) for station in usable]
        pick = where[self.place] * sum(appeal)
        chosen = 0
        while pick >= appeal[chosen] and chosen < len(usable) - 1:
            pick -= appeal[chosen]
            chosen += 1
        return kind, usable[chosen]

    def file(self, kind: int, station: TwinStation, tie: list[float]) -> None:
        """File a case."""
        case = TwinCase(self, station, kind, self.model.month, tie[self.place])
        self.cases[kind] = case
        station.waiting.append(case)
        station.received += 1
        self.cases_filed += 1
        self.model.counts["cases received"] += 1

    # -- 3.13 sampling -----------------------------------------------------------------------

    def be_sampled(self, share: float, chosen: list[float], found: list[float]) -> None:
        """Have one unit tested by the regulator, or not."""
        self.sampled = chosen[self.place] < share
        self.failed = self.sampled and found[self.place] < 1.0 - math.exp(-(self.out_detectable + self.out_latent))


class TwinStation(mesa.Agent):
    """A service station with its queue as a list of cases."""

    model: TwinModel

    def __init__(self, model: TwinModel, world: World, row: int) -> None:
        super().__init__(model)
        stations = world.stations
        self.row = row
        self.waiting: list[TwinCase] = []
        self.county = int(stations.county[row])
        self.online = bool(stations.online[row])
        self.programme = bool(stations.programme[row])
        self.offers: list[bool] = stations.offers[row].tolist()
        self.competence: list[float] = stations.competence[row].tolist()
        self.capacity = float(stations.capacity[row])
        self.credit = float(stations.credit[row])
        self.fee = float(stations.fee[row])
        self.received = int(stations.received[row])
        self.served = int(stations.served[row])
        self.solved = int(stations.solved[row])
        self.withdrawn = int(stations.withdrawn[row])
        self.waited = float(stations.waited[row])

    @property
    def queue(self) -> int:
        """Cases waiting."""
        return len(self.waiting)

    def serves(self, firm: TwinFirm, kind: int, worth: float) -> bool:
        """Whether a firm knows it, can reach it, needs what it offers and thinks the fee worth it."""
        known = firm.knows_programme if self.programme else firm.knows_stations
        near = self.online or self.county == firm.county
        return known and near and self.capacity > 0.0 and self.offers[kind] and self.fee <= worth * self.competence[kind]

    def work(self, luck: list[list[float]]) -> None:
        """Serve in order of arrival up to the month's capacity; a fraction left over counts next month."""
        able = self.capacity + self.credit
        self.credit = able - math.floor(able)
        self.waiting.sort(key=TwinCase.turn)
        now, self.waiting = self.waiting[: math.floor(able)], self.waiting[math.floor(able) :]
        for case in now:
            firm, kind = case.firm, case.kind
            del firm.cases[kind]
            firm.cases_served += 1
            firm.served_by_kind[kind] += 1
            firm.months_waited += self.model.month - case.month
            firm.prevention += self.fee
            self.served += 1
            self.waited += self.model.month - case.month
            self.model.counts["cases served"] += 1
            if luck[firm.place][kind] < self.competence[kind]:
                self.solved += 1
                firm.cases_solved += 1
                firm.open_problems[kind] -= 1
                firm.close_problems(1)
                missing = 1.0 - firm.capability[kind]
                firm.capability[kind] += self.model.parameters.service_learning * firm.absorptive * missing


class TwinModel(mesa.Model):
    """The month, one agent at a time, from a snapshot of a model's state.

    Parameters
    ----------
    world : World
        The model whose state is copied; it is not touched.
    station_support : float
        CNY a month that a programme goes on paying for its stations, booked evenly on firms.
    """

    def __init__(self, world: World, station_support: float = 0.0) -> None:
        super().__init__(rng=0)
        self.parameters: Parameters = world.parameters
        self.streams: Streams = world.streams
        self.month = world.month
        self.station_support = station_support
        self.counts = dict(world.counts)
        self.causes: list[list[bool]] = world.chains.cause.tolist()
        self.samples = int(world.regulators.sampled[0])
        self.samples_failed = int(world.regulators.failed[0])
        self.places = world.firms.n
        self.by_place = {place: TwinFirm(self, world, place) for place in range(self.places) if world.firms.alive[place]}
        self.by_row = {row: TwinStation(self, world, row) for row in range(world.stations.n) if world.stations.alive[row]}
        self.firms = self.agents_by_type[TwinFirm]
        self.stations = list(self.by_row.values())
        self.links = self._copy_links(world)
        self._copy_cases(world)
        self.living = len(self.by_place)

    def _copy_links(self, world: World) -> list[TwinLink]:
        links = []
        for row in range(world.links.n):
            supplier = self.by_place.get(int(world.links.supplier[row]))
            customer = self.by_place.get(int(world.links.customer[row]))
            if supplier is None or customer is None:
                continue
            names = [name for name in TwinLink.__slots__ if name not in ("row", "supplier", "customer")]
            link = TwinLink(row, supplier, customer, **{name: getattr(world.links, name)[row].item() for name in names})
            customer.buys[supplier.place] = supplier.sells[customer.place] = link
            links.append(link)
        return links

    def _copy_cases(self, world: World) -> None:
        for place, firm in self.by_place.items():
            for kind in range(4):
                row = int(world.firms.case_station[place, kind])
                if row >= 0:
                    month, tie = int(world.firms.case_month[place, kind]), float(world.firms.case_tie[place, kind])
                    firm.cases[kind] = case = TwinCase(firm, self.by_row[row], kind, month, tie)
                    case.station.waiting.append(case)

    def luck(self, decision: str) -> list[float]:
        """Uniforms of this month, one for every place of a firm."""
        return self.streams.uniform(decision, self.month, self.places).tolist()

    def luck_by_kind(self, decision: str, places: int | None = None) -> list[list[float]]:
        """Uniforms of this month, four for every place of a firm (or of a chain)."""
        return self.streams.uniforms(decision, self.month, self.places if places is None else places, 4).tolist()

    def step(self) -> None:
        """Simulate one month. Each `do` is over before the next begins, so what is read of others is last month's."""
        self.month += 1
        self.firms.do("begin_month")
        self.firms.do("ship")
        self.firms.do("take_orders")
        self.firms.do("make", self.luck("product renewal"))
        self.firms.do("decide_inspection")
        self.firms.do("receive")
        self.firms.do("let_go")
        self.firms.do("count_costs")
        self.firms.do("charge_suppliers")
        self.firms.do("be_charged")
        self.firms.do("meet_problems", self.luck_by_kind("problem solved"), self.luck_by_kind("problem arises"))
        self.common_causes()
        if self.stations:
            self.serve()
        self.sample()

    def common_causes(self) -> None:
        """End some common causes of chains and begin others; one that ended does not begin in the same month."""
        p = self.parameters
        ending = self.luck_by_kind("common cause ends", len(self.causes))
        beginning = self.luck_by_kind("common cause begins", len(self.causes))
        hitting = self.luck_by_kind("common cause hits")
        ends, begins = set(), set()
        for chain, at_work in enumerate(self.causes):
            for kind in range(4):
                if at_work[kind] and ending[chain][kind] < p.common_cause_end:
                    ends.add((chain, kind))
                    at_work[kind] = False
                elif not at_work[kind] and beginning[chain][kind] < p.common_cause_hazard:
                    begins.add((chain, kind))
                    at_work[kind] = True
        for firm in self.firms:
            for kind in range(4):
                if (firm.chain, kind) in ends:
                    firm.common_cause_ends(kind)
                elif (firm.chain, kind) in begins:
                    firm.common_cause_begins(kind, hitting)

    def serve(self) -> None:
        """Withdrawals, new cases, service. All firms choose before any files, by the queues left from last month."""
        self.firms.do("withdraw")
        first, where, tie = self.luck_by_kind("which problem first"), self.luck("which station"), self.luck("place in the queue")
        choices = [(firm, choice) for firm in self.firms if (choice := firm.choose_station(first, where))]
        for firm, (kind, station) in choices:
            firm.file(kind, station, tie)
        solving = self.luck_by_kind("case solved")
        for station in self.stations:
            station.work(solving)

    def sample(self) -> None:
        """Let the regulator sample firms at random."""
        share = min(1.0, self.parameters.random_samples / max(self.living, 1))
        self.firms.do("be_sampled", share, self.luck("product sampled"), self.luck("sample fails"))
        self.samples += sum(firm.sampled for firm in self.firms)
        self.samples_failed += sum(firm.failed for firm in self.firms)
