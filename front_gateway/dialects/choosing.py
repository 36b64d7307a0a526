"""Which dialect a gateway speaks: `HIS_DIALECT`, with the words of the hospital at hand in `HIS_SYSTEMS`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from foundation.clock import Clock
from front_gateway.dialects import Dialect
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import read_systems
from front_gateway.dialects.soap.dialect import SoapDialect
from front_gateway.dialects.soap.hospital_profile import read_profile
from front_gateway.upstream import Upstream

Speaker = Callable[[Upstream, Clock], Dialect]


def speaker(dialect: str, words: Path | None) -> Speaker:
    """Makes the dialect named; `SystemsError` when the file `words` cannot be used."""
    return _SPEAKERS[dialect](words)


def _fhir(words: Path | None) -> Speaker:
    systems = read_systems(words)
    return lambda upstream, clock: FhirDialect(upstream, systems, clock)


def _soap(words: Path | None) -> Speaker:
    profile = read_profile(words)
    return lambda upstream, clock: SoapDialect(upstream, profile, clock)


_SPEAKERS: Mapping[str, Callable[[Path | None], Speaker]] = {"fhir": _fhir, "soap": _soap}
