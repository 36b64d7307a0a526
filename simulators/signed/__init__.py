"""The signature of docs/counterparts.md, and bodies read by their declared types; shared by all who have one signing customer."""

from simulators.signed.bodies import read
from simulators.signed.requests import AppKey, Endpoint, Unsigned, headers, unsigned_handler
from simulators.signed.service import PAGE_HEADERS, Refused, Settings, SignedService, down, refused_handler

__all__ = [
    "PAGE_HEADERS", "AppKey", "Endpoint", "Refused", "Settings", "SignedService", "Unsigned", "down", "headers", "read",
    "refused_handler", "unsigned_handler",
]  # fmt: skip
