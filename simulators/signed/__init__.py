"""The signature of docs/counterparts.md, and bodies read by their declared types; shared by identity, CA and courier."""

from simulators.signed.bodies import read
from simulators.signed.requests import AppKey, Endpoint, Unsigned, headers, unsigned_handler

__all__ = ["AppKey", "Endpoint", "Unsigned", "headers", "read", "unsigned_handler"]
