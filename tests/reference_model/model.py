"""A second, independent implementation of the month, with a loop over plain Mesa agents.

It is the oracle for `sim`: written from the equations, in loops over agents and their links, with
its own inversions of uniforms and its own accounts. It starts from a snapshot of a model's state and then
runs alone; it shares only the uniforms with the model. It covers every phase of the month. Here programmes take on
no new firms: the results of what they did before the snapshot stay (officers, stations and who knows them,
credit lines), and so does their continuing support (`programmes`).

The twin does not contain firms, links and stations that have left the world. So agreement with the
columns also shows that these have no influence on the others. A firm that gives up is removed, and
another agent takes its place: agreement shows that the entrant's row holds nothing else of it.

The files: `world` (state that all others read), `firm` (state, output, quality), `stations`, `decisions` (investment,
adoption, learning), `money`, `relations`, `market` (recalls, demand, samples), `programmes`, `inversions`.
"""

from __future__ import annotations

from sim.world import World
from tests.reference_model.decisions import adopt_and_drop, invest, learn_and_forget
from tests.reference_model.firm import TwinCase, TwinFirm, TwinLink
from tests.reference_model.market import TwinRegulator, market, recall_products, sample_products
from tests.reference_model.money import TwinBank, TwinBooks, balance_others, count_distress, give_up, settle_accounts, start_business
from tests.reference_model.programmes import TwinSupport
from tests.reference_model.relations import rate, review_suppliers, usual_in_sectors
from tests.reference_model.stations import TwinStation, serve, withdraw
from tests.reference_model.world import TwinWorld


class TwinModel(TwinWorld):
    """The month in loops over agents, from a snapshot of a model's state.

    Parameters
    ----------
    world : World
        The model whose state is copied; it is not changed.

    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.by_place = {place: TwinFirm(self, place) for place in range(self.places) if world.firms.alive[place]}
        for firm in self.by_place.values():
            firm.copy_columns(world)
        self.by_row = {row: TwinStation(self, world, row) for row in range(world.stations.n) if world.stations.alive[row]}
        self.firms = self.agents_by_type[TwinFirm]
        self.stations = list(self.by_row.values())
        self.links = self._copy_links(world)
        self._copy_cases(world)
        self.books, self.bank, self.regulator = TwinBooks(world), TwinBank(self, world), TwinRegulator(world)
        self.support = TwinSupport(self, world)

    def _copy_links(self, world: World) -> list[TwinLink]:
        links = []
        for row in range(self.relations):
            supplier = self.by_place.get(int(world.links.supplier[row]))
            customer = self.by_place.get(int(world.links.customer[row]))
            if supplier is None or customer is None:
                continue
            names = [name for name in TwinLink.__slots__ if name not in ("row", "supplier", "customer")]
            link = TwinLink(row, supplier, customer, **{name: getattr(world.links, name)[row].item() for name in names})
            customer.buys.append(link)
            supplier.sells.append(link)
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

    def step(self) -> None:
        """Simulate one month. Each `do` ends before the next begins, so agents read last month's values of others."""
        self.month += 1
        self.books.month.clear()
        self.firms.do("begin_month")
        self.support.go_on()
        review_suppliers(self)
        self.firms.do("ship")
        self.firms.do("order")
        self.firms.do("take_orders")
        self.firms.do("make", self.draws("product renewal"))
        self.firms.do("decide_inspection")
        self.firms.do("receive")
        self.firms.do("let_go")
        self.firms.do("count_costs")
        self.firms.do("charge_suppliers")
        self.firms.do("be_charged")
        self.firms.do("meet_problems", self.draws_by_kind("problem solved"), self.draws_by_kind("problem arises"))
        self.common_causes()
        serve(self)
        invest(self)
        adopt_and_drop(self)
        learn_and_forget(self)
        self.firms.do(rate)
        recall_products(self)
        market(self)
        sample_products(self)
        settle_accounts(self)
        self.exit_and_enter()
        balance_others(self)

    def common_causes(self) -> None:
        """End some causes of common problems and begin others; a cause that ended does not begin again in the same month."""
        p = self.parameters
        ending = self.draws_by_kind("common cause ends", len(self.causes))
        beginning = self.draws_by_kind("common cause begins", len(self.causes))
        hitting = self.draws_by_kind("common cause hits")
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

    def exit_and_enter(self) -> None:
        """Let firms give up after months of distress; entrants take their places, and their relations start again."""
        self.firms.do(count_distress)
        leaving = [firm for firm in self.by_place.values() if firm.distress >= self.parameters.distress_months]
        staying = [firm for firm in self.by_place.values() if firm.distress < self.parameters.distress_months]
        lifts = {size: self._lift([firm for firm in staying if firm.size_class == size]) for size in range(3)}
        usual = usual_in_sectors(self, "rating")
        aware = sum(firm.knows_stations for firm in self.firms) / len(self.firms)
        for firm in leaving:
            give_up(firm)
            withdraw(firm, everything=True)
            entrant = TwinFirm(self, firm.place)
            entrant.succeed(firm, aware, lifts[firm.size_class])
            self.by_place[firm.place] = entrant
            firm.remove()
            self.happened["exits of leaders" if firm.is_leader else "exits of members"] += 1
            for link in (*entrant.buys, *entrant.sells):
                link.start(usual.get(link.supplier.sector, 0.0))
        for firm in leaving:
            start_business(self.by_place[firm.place])

    @staticmethod
    def _lift(alike: list[TwinFirm]) -> list[float]:
        """Mean by which learning has raised some firms above their natural levels, by kind; at least 0, and 0 without firms."""
        if not alike:
            return [0.0] * 4
        return [max(0.0, sum(firm.capability[kind] - firm.natural[kind] for firm in alike) / len(alike)) for kind in range(4)]
