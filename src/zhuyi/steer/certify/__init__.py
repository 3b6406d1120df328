"""Certify: what a veto may claim on this model, item by item."""

from zhuyi.steer.certify.certificate import Certificate, Item, RuleCertificate
from zhuyi.steer.certify.certifying import certify
from zhuyi.steer.certify.probe import probe
from zhuyi.steer.certify.removed import removed
from zhuyi.steer.report import Leak

__all__ = [
    "Certificate",
    "Item",
    "Leak",
    "RuleCertificate",
    "certify",
    "probe",
    "removed",
]
