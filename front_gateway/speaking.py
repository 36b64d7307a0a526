"""Which dialect is spoken to which system: the one table of main dialects, and the lines to LIS and RIS."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from foundation.clock import Clock
from front_gateway.dialects import Main
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import read_systems
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line
from front_gateway.dialects.soap.dialect import SoapDialect
from front_gateway.dialects.soap.hospital_profile import read_profile
from front_gateway.settings import HisDialect, Settings, split_line
from front_gateway.upstream import Upstream

Speaker = Callable[[Upstream, Clock], Main]


def _fhir(words: Path | None) -> Speaker:
    systems = read_systems(words)
    return lambda upstream, clock: FhirDialect(upstream, systems, clock)


def _soap(words: Path | None) -> Speaker:
    profile = read_profile(words)
    return lambda upstream, clock: SoapDialect(upstream, profile, clock)


MAIN: Mapping[HisDialect, Callable[[Path | None], Speaker]] = {HisDialect.FHIR: _fhir, HisDialect.SOAP: _soap}
"""A further main dialect is a line here and a value of `HisDialect`."""


def speaker(dialect: HisDialect, words: Path | None) -> Speaker:
    """Makes the dialect named, with the words of the hospital at hand; `SystemsError` when the file `words` cannot be used."""
    return MAIN[dialect](words)


def lines(settings: Settings, tls: ssl.SSLContext | None) -> dict[str, Line]:
    """The systems of the settings by category of report."""
    s = settings
    wanted: tuple[tuple[str, str, str, Charset, str, str], ...] = (
        ("laboratory", "lis", s.lis_url, s.lis_charset, s.lis_application, s.lis_identity),
        ("imaging", "ris", s.ris_url, s.ris_charset, s.ris_application, s.ris_identity),
    )
    found = {}
    for category, name, url, charset, application, identity in wanted:
        if (parts := split_line(url)) is not None:
            host, port, over_tls = parts
            address = Address(name, host, port, charset, application, tls if over_tls else None, identity)
            found[category] = Line(address)
    return found
