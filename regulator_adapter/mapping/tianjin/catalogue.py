"""药品目录 `uploadDrugCatalogue`: one record per drug, first and on every change."""

from typing import Any

from contracts.events import DrugCatalogueChanged
from contracts.money import yuan
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import PROFILE, header

PACKING = 30


def numbers(event: DrugCatalogueChanged) -> list[str]:
    """The codes of the drugs."""
    return [drug.code for drug in event.drugs]


def build(source: Source[DrugCatalogueChanged], number: str) -> dict[str, Any]:
    """The record of the drug with code `number`."""
    drug = next(drug for drug in source.event.drugs if drug.code == number)
    packing = f"{drug.strength}*{drug.pack}"
    return header(source, source.event.changed_at) | {
        "drugClass": drug.drug_class,
        "countrydrcode": drug.national_code,
        "hospDrcode": drug.code,
        "hospDrugName": drug.name,
        "hospTradeName": drug.trade_name,
        "hospDrugPacking": packing if len(packing) <= PACKING else drug.pack,
        "hospDrugManuf": drug.manufacturer,
        "drugPrice": yuan(drug.price),
        "useFlag": "1" if drug.valid else "2",
    }


KIND = RecordKind(PROFILE, "uploadDrugCatalogue", numbers, build)
