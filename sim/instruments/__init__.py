"""Quality-policy instruments, one small file each, on a shared delivery."""

from sim.instruments.consortia import Consortia
from sim.instruments.cqo import ChiefQualityOfficer
from sim.instruments.delivery import INSTRUMENTS, TARGETING, Delivery, Instrument, Programme, instrument
from sim.instruments.digital_quality import DigitalQuality
from sim.instruments.one_stop_stations import OneStopStations
from sim.instruments.stewards import Stewards
from sim.instruments.strong_chain_loans import StrongChainLoans
from sim.instruments.supplier_development import SupplierDevelopment
from sim.instruments.supplier_qualification import SupplierQualification
from sim.instruments.traceability import Traceability

__all__ = [
    "INSTRUMENTS",
    "TARGETING",
    "ChiefQualityOfficer",
    "Consortia",
    "Delivery",
    "DigitalQuality",
    "Instrument",
    "OneStopStations",
    "Programme",
    "Stewards",
    "StrongChainLoans",
    "SupplierDevelopment",
    "SupplierQualification",
    "Traceability",
    "instrument",
]
