"""Certify: what a veto may claim on this model, item by item."""

from zhuyi.steer.certify.certificate import Certificate, Item, Leak, RuleCertificate
from zhuyi.steer.certify.certifying import certify
from zhuyi.steer.certify.probe import probe
from zhuyi.steer.certify.removed import removed

__all__ = [
    "Certificate",
    "Item",
    "Leak",
    "RuleCertificate",
    "certify",
    "probe",
    "removed",
]
