"""Shocks: what happens to firms and to demand that no policy chose, one small file each."""

from sim.shocks.bad_batch import BadBatch
from sim.shocks.competitor import Competitor
from sim.shocks.demand import Demand
from sim.shocks.outage import Outage
from sim.shocks.shock import SHOCKS, AtWork, Shock, shock, strike
from sim.shocks.whom import RULES

__all__ = ["RULES", "SHOCKS", "AtWork", "BadBatch", "Competitor", "Demand", "Outage", "Shock", "shock", "strike"]
