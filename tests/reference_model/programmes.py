"""Continuing payments of programmes in the twin, which take on no new firms: officers' pay, stations, strong-chain loans."""

from __future__ import annotations

from sim.instruments import ChiefQualityOfficer, OneStopStations, StrongChainLoans
from sim.world import World
from tests.reference_model.firm import TwinFirm
from tests.reference_model.world import TwinWorld


class TwinChainHead:
    """The head of a chain; several heads of one chain divide what is spent on it."""

    def __init__(self, world: World, row: int) -> None:
        self.chain = int(world.chain_heads.chain[row])
        self.spent = float(world.chain_heads.spent[row])
        self.awards = float(world.chain_heads.awards[row])


class TwinSupport:
    """Programmes at work, without a limit on their budgets."""

    def __init__(self, model: TwinWorld, world: World) -> None:
        self.model = model
        self.officers: ChiefQualityOfficer | None = None
        self.stations: OneStopStations | None = None
        self.loans: StrongChainLoans | None = None
        for programme in world.programmes.values():
            match instrument := programme.instrument:  # type: ignore[attr-defined]
                case ChiefQualityOfficer():
                    self.officers = instrument
                case OneStopStations():
                    self.stations = instrument
                case StrongChainLoans():
                    self.loans = instrument
                    self.borrowers = [model.by_place[place] for place in programme.reached.tolist()]  # type: ignore[attr-defined]
        self.heads = [TwinChainHead(world, row) for row in range(world.chain_heads.n)]

    def spend(self, key: str, payee: str, firm: TwinFirm, amount: float) -> None:
        """Let government pay for a firm, and count this for the heads of its chain."""
        firm.government_cost += amount
        self.model.books.pay("government", payee, key, amount)
        heads = [head for head in self.heads if head.chain == firm.chain]
        for head in heads:
            head.spent += amount / len(heads)

    def go_on(self) -> None:
        """Bear part of officers' pay, the running cost of stations, part of the interest; renew the lines."""
        if self.officers:
            for firm in self.model.firms:
                if firm.cqo:
                    self.spend("cqo", "households", firm, firm.cqo_subsidy * firm.officer_pay())
        if self.stations:
            cost = self.stations.running_cost * sum(station.extent for station in self.model.stations if station.programme)
            for firm in self.model.firms:
                self.spend("one_stop_stations", "stations", firm, cost / len(self.model.firms))
        if self.loans:
            for firm in self.borrowers:
                discount = min(self.loans.discount, self.model.bank.rate)
                self.spend("strong_chain_loans", "lenders", firm, discount * firm.programme_debt / 12.0)
                of_leaders = sum(link.ordered for link in firm.sells if 0 <= link.customer.tier < self.loans.tiers)
                line = min(self.loans.ceiling, self.loans.line_share * 12.0 * of_leaders)
                firm.programme_line = line if self.score(firm) >= self.loans.score_least else 0.0
                firm.guaranteed, firm.rate_discount = self.loans.guarantee, self.loans.discount
                firm.interest_borne = discount * firm.programme_debt / 12.0

    def score(self, firm: TwinFirm) -> float:
        """Quality credit score: signals of quality by thirds, and cash in months of sales, from -1 to 1."""
        assert self.loans
        failed_of_late = firm.model.month - firm.failed_month <= firm.model.parameters.risk_months
        quality = (firm.certified + firm.cqo + (not failed_of_late)) / 3.0
        sales = firm.monthly_sales()
        standing = min(1.0, max(0.0, 0.5 + 0.5 * firm.cash / sales)) if sales > 0.0 else 0.5
        return self.loans.score_weight * quality + (1.0 - self.loans.score_weight) * standing

    def guarantee(self, firm: TwinFirm) -> None:
        """Bear part of what lenders lose in strong-chain loans to a firm that it reached, and no longer support it."""
        if self.loans and firm in self.borrowers:
            self.model.happened["guarantees called"] += firm.programme_debt > 0.0
            self.spend("strong_chain_loans", "lenders", firm, self.loans.guarantee * firm.programme_debt)
            self.borrowers = [other for other in self.borrowers if other is not firm]
