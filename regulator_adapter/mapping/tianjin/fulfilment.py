"""处方核销 `uploadRecipeVerificationIndicators`: handed over, delivered, or expired by itself (deliveryType 4)."""

from typing import Any

from contracts.events import DispenseCompleted
from contracts.money import yuan
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import PROFILE, header, visit_number
from regulator_adapter.mapping.tianjin.prescription import Terminal, ended_at, numbers

NOBODY = "无"


def build(source: Source[Terminal], number: str) -> dict[str, Any]:
    """How the prescription ended for the patient."""
    event = source.event
    ended = ended_at(event)
    common = header(source, ended) | {
        "recipeUniqueID": number,
        "recipeID": event.prescription.number,
        "bussID": visit_number(event.visit),
        "VerificationTime": stamp(ended),
        "totalFee": yuan(event.prescription.total),
    }
    if not isinstance(event, DispenseCompleted):
        return common | {
            "deliveryType": codesets.DELIVERY_EXPIRED,
            "deliveryPeople": NOBODY,
            "isPay": "0",
        }
    return common | {
        "deliveryType": codesets.translate(codesets.DELIVERY, event.delivery_type),
        "deliveryFirm": event.carrier,
        "deliveryPeople": event.carrier_person.strip() or event.receiver,
        "deliverySTDate": stamp(event.handed_over_at),
        "deliveryENDDate": stamp(event.completed_at),
        "deliveryFee": yuan(event.delivery_fee),
        "isPay": "1",
        "tradeNo": event.payment.trade_number,
    }


KIND = RecordKind(PROFILE, "uploadRecipeVerificationIndicators", numbers, build)
