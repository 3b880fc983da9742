"""Quality-policy instruments, one small file each, on a shared delivery."""

from sim.instruments.certification import Certification
from sim.instruments.cqo import ChiefQualityOfficer
from sim.instruments.delivery import INSTRUMENTS, TARGETING, Delivery, Instrument, Programme, instrument
from sim.instruments.metrology import Metrology
from sim.instruments.one_stop_stations import OneStopStations
from sim.instruments.quality_map import QualityMapping
from sim.instruments.standards import Standards
from sim.instruments.stewards import Stewards
from sim.instruments.strong_chain_loans import StrongChainLoans
from sim.instruments.testing_services import TestingServices
from sim.instruments.training_bases import TrainingBases

__all__ = [
    "INSTRUMENTS",
    "TARGETING",
    "Certification",
    "ChiefQualityOfficer",
    "Delivery",
    "Instrument",
    "Metrology",
    "OneStopStations",
    "Programme",
    "QualityMapping",
    "Standards",
    "Stewards",
    "StrongChainLoans",
    "TestingServices",
    "TrainingBases",
    "instrument",
]
