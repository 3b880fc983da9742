"""The world and its month.

>>> from sim import StrongchainModel
"""

from sim.build.across import Across
from sim.build.from_file import FromFile
from sim.build.input_output import InputOutput
from sim.build.region import Region
from sim.build.synthetic import Synthetic
from sim.instruments import INSTRUMENTS, ChiefQualityOfficer, Instrument, OneStopStations, StrongChainLoans, instrument
from sim.model import MONTH, StrongchainModel
from sim.network.fixed_points import NetworkError
from sim.network.network import SupplyNetwork
from sim.outcomes import OUTCOMES
from sim.parameters import Parameters, parameter
from sim.shocks import SHOCKS, BadBatch, Competitor, Demand, Outage, Shock

__all__ = [
    "INSTRUMENTS",
    "MONTH",
    "OUTCOMES",
    "SHOCKS",
    "Across",
    "BadBatch",
    "ChiefQualityOfficer",
    "Competitor",
    "Demand",
    "FromFile",
    "InputOutput",
    "Instrument",
    "NetworkError",
    "OneStopStations",
    "Outage",
    "Parameters",
    "Region",
    "Shock",
    "StrongChainLoans",
    "StrongchainModel",
    "SupplyNetwork",
    "Synthetic",
    "instrument",
    "parameter",
]
