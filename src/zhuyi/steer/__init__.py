"""Steer: people's rules become the bias. The effect is measured, and all of it can be undone."""

from zhuyi.steer.block import Off, Steering
from zhuyi.steer.certify import Certificate, certify, removed
from zhuyi.steer.concepts import Concept
from zhuyi.steer.emphasis import parse_emphasis
from zhuyi.steer.expect import Expect
from zhuyi.steer.relations import Relation
from zhuyi.steer.report import SteeringReport
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Channel, Column, Regex, Role, Text, Tokens
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.spans import Span
from zhuyi.steer.steering import steer
from zhuyi.steer.windows import Time

__all__ = [
    "Certificate",
    "Channel",
    "Column",
    "Concept",
    "Expect",
    "Off",
    "Regex",
    "Relation",
    "Role",
    "Rule",
    "Rules",
    "SpacyPattern",
    "Span",
    "Steering",
    "SteeringReport",
    "Text",
    "Time",
    "Tokens",
    "certify",
    "parse_emphasis",
    "removed",
    "steer",
]
