"""The agents: Mesa agents over columns of state, and the random numbers that runs share."""

from agents.chain_head import ChainHead, ChainHeads
from agents.columns import AgentsOnDemand, Column, Flags, Floats, Indices, Ints, Population, Row, column
from agents.firm import ChainLeader, Firm, Firms, MemberFirm
from agents.help import Help
from agents.lender import Lender, Lenders
from agents.qi_station import QIStation, Stations
from agents.regulator import Regulator, Regulators
from agents.streams import Streams

__all__ = [
    "AgentsOnDemand",
    "ChainHead",
    "ChainHeads",
    "ChainLeader",
    "Column",
    "Firm",
    "Firms",
    "Flags",
    "Floats",
    "Help",
    "Indices",
    "Ints",
    "Lender",
    "Lenders",
    "MemberFirm",
    "Population",
    "QIStation",
    "Regulator",
    "Regulators",
    "Row",
    "Stations",
    "Streams",
    "column",
]
