"""药品目录 `bb_pi_drug`: first, and on every change."""

from typing import Any

from contracts.events import DrugCatalogueChanged
from contracts.money import yuan
from regulator_adapter.mapping.guangdong.blocks import ORDINARY, PROFILE, row
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source


def numbers(event: DrugCatalogueChanged) -> list[str]:
    """The codes of the drugs."""
    return [drug.code for drug in event.drugs]


def build(source: Source[DrugCatalogueChanged], number: str) -> dict[str, Any]:
    """One drug; `ypid` is the platform's own id, which we know by the national code at best."""
    drug = next(drug for drug in source.event.drugs if drug.code == number)
    return row(source, number, secrecy=ORDINARY) | {
        "ypdm": drug.code,
        "ypid": drug.national_code,
        "ypmc": drug.name,
        "spm": drug.trade_name,
        "ypgg": drug.strength,
        "bz": drug.pack,
        "jxdm": drug.form_code,
        "sccj": drug.manufacturer,
        "ypfl": drug.drug_class,
        "ypdj": yuan(drug.price),
        "qybz": "1" if drug.valid else "2",
    }


KIND = RecordKind(PROFILE, "bb_pi_drug", numbers, build)
