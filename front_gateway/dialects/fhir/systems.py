"""Names of identifier and code systems. Defaults are ours; a hospital's own stand in a TOML file (`HIS_SYSTEMS`)."""

import tomllib
from pathlib import Path

import msgspec

from front_gateway.dialects.words import SystemsError


class Systems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """2.16.156.10011 is the root of WS/T 500 (电子病历共享文档规范): .1.3 is the resident identity card.

    `record_number` (病历号) is what image archive, LIS and RIS know patients by; empty: they know them by their ids here.
    `stock` is the extension of a Medication that says how many packs there are: R4 has no element for it.
    """

    id_card: str = "urn:oid:2.16.156.10011.1.3"
    record_number: str = ""
    request: str = "urn:internet-hospital:request"
    appointment: str = "urn:internet-hospital:appointment"
    prescription: str = "urn:internet-hospital:prescription"
    digest: str = "urn:internet-hospital:sha256"
    trade: str = "urn:internet-hospital:trade"
    waybill: str = "urn:internet-hospital:waybill"
    department: str = "urn:internet-hospital:department"
    practitioner: str = "urn:internet-hospital:practitioner"
    diagnosis: str = "http://hl7.org/fhir/sid/icd-10"
    drug: str = "urn:internet-hospital:drug"
    allergy: str = "urn:internet-hospital:allergy"
    allergy_group: str = "urn:internet-hospital:allergy-group"
    route: str = "urn:oid:2.16.156.10011.2.3.1.158"
    charge: str = "urn:internet-hospital:charge"
    stock: str = "https://his.nanxiang.example/StructureDefinition/stock"


def read_systems(path: Path | None) -> Systems:
    """Systems of the file at `path`, defaults for what it does not name; `SystemsError` when it cannot be used."""
    if path is None:
        return Systems()
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Systems)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SystemsError(f"{path}: {error}") from None
