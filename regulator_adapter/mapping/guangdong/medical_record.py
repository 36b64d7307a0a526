"""电子病历 `bb_pi_medical_record`: each signed version of it."""

from typing import Any

from contracts.events import RecordAmended, RecordSigned
from regulator_adapter.mapping.guangdong.blocks import PROFILE, doctor, patient, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source


def numbers(event: RecordSigned) -> list[str]:
    """The record's id."""
    return [str(event.record_id)]


def build(source: Source[RecordSigned], number: str) -> dict[str, Any]:
    """One version, with the doctor's signature value."""
    event = source.event
    return (
        row(source, number)
        | patient(event.visit)
        | doctor(event.visit)
        | {
            "bldm": number,
            "bbh": event.record_version,
            "jzlsh": visit_number(event.visit),
            "zs": event.chief_complaint,
            "xbs": event.present_history,
            "jcjg": event.examination,
            "zlyj": event.opinion,
            "zdbm": "|".join(one.code for one in event.diagnoses),
            "zdmc": "|".join(one.name for one in event.diagnoses),
            "xgyy": event.amendment_reason if isinstance(event, RecordAmended) else None,
            "qmsj": stamp(event.signed_at),
            "qmz": event.signature,
        }
    )


KIND = RecordKind(PROFILE, "bb_pi_medical_record", numbers, build)
