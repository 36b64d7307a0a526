"""Which dialects are spoken to which system: the one table, and the lines to LIS and RIS."""

import ssl
from collections.abc import Callable

from foundation.clock import Clock
from front_gateway.dialects import Main
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line
from front_gateway.settings import HisDialect, Settings, split_line
from front_gateway.upstream import Upstream

MAIN: dict[HisDialect, Callable[[Upstream, Systems, Clock], Main]] = {HisDialect.FHIR: FhirDialect}
"""A further main dialect is a line here and a value of `HisDialect`."""


def lines(settings: Settings, tls: ssl.SSLContext | None) -> dict[str, Line]:
    """The systems of the settings by category of report."""
    wanted: tuple[tuple[str, str, str, Charset, str], ...] = (
        ("laboratory", "lis", settings.lis_url, settings.lis_charset, settings.lis_application),
        ("imaging", "ris", settings.ris_url, settings.ris_charset, settings.ris_application),
    )
    found = {}
    for category, name, url, charset, application in wanted:
        if (parts := split_line(url)) is not None:
            host, port, over_tls = parts
            address = Address(name, host, port, charset, application, tls if over_tls else None)
            found[category] = Line(address)
    return found
