"""Quality-policy instruments, one small file each, on a shared delivery."""

from sim.instruments.account import Account
from sim.instruments.assessment import Assessment
from sim.instruments.awards import Awards
from sim.instruments.brands import Brands
from sim.instruments.certification import Certification
from sim.instruments.consortia import Consortia
from sim.instruments.cqo import ChiefQualityOfficer
from sim.instruments.delivery import TARGETING, Delivery
from sim.instruments.digital_quality import DigitalQuality
from sim.instruments.instrument import INSTRUMENTS, SHARED_ASSUMPTION, Instrument, Theme, instrument
from sim.instruments.metrology import Metrology
from sim.instruments.mutual_help import MutualHelp
from sim.instruments.one_stop_stations import OneStopStations
from sim.instruments.programme import LEFT, TAKEN_ON, Programme
from sim.instruments.quality_map import QualityMapping
from sim.instruments.recall import Recall
from sim.instruments.service_manuals import ServiceManuals
from sim.instruments.standards import Standards
from sim.instruments.stewards import Stewards
from sim.instruments.strong_chain_loans import StrongChainLoans
from sim.instruments.supervision import Supervision
from sim.instruments.supplier_development import SupplierDevelopment
from sim.instruments.supplier_qualification import SupplierQualification
from sim.instruments.testing_services import TestingServices
from sim.instruments.traceability import Traceability
from sim.instruments.training_bases import TrainingBases

__all__ = [
    "INSTRUMENTS",
    "LEFT",
    "SHARED_ASSUMPTION",
    "TAKEN_ON",
    "TARGETING",
    "Account",
    "Assessment",
    "Awards",
    "Brands",
    "Certification",
    "ChiefQualityOfficer",
    "Consortia",
    "Delivery",
    "DigitalQuality",
    "Instrument",
    "Metrology",
    "MutualHelp",
    "OneStopStations",
    "Programme",
    "QualityMapping",
    "Recall",
    "ServiceManuals",
    "Standards",
    "Stewards",
    "StrongChainLoans",
    "Supervision",
    "SupplierDevelopment",
    "SupplierQualification",
    "TestingServices",
    "Theme",
    "Traceability",
    "TrainingBases",
    "instrument",
]
