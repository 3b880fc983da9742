"""Who lives in the world: Mesa agents over columns of state, and the luck they share."""

from agents.chain_head import CHAIN_HEAD, ChainHead
from agents.columns import AgentsOnDemand, Column, Population, Row
from agents.firm import FIRM, ChainLeader, Firm, MemberFirm
from agents.lender import LENDER, Lender
from agents.qi_station import QI_STATION, QIStation
from agents.regulator import REGULATOR, Regulator
from agents.streams import Streams

__all__ = [
    "CHAIN_HEAD",
    "FIRM",
    "LENDER",
    "QI_STATION",
    "REGULATOR",
    "AgentsOnDemand",
    "ChainHead",
    "ChainLeader",
    "Column",
    "Firm",
    "Lender",
    "MemberFirm",
    "Population",
    "QIStation",
    "Regulator",
    "Row",
    "Streams",
]
