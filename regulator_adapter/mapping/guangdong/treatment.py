"""诊疗记录 `bb_pi_treatment`: one visit, told when it begins and again when it has ended, with the addresses of what was kept of it."""

from typing import Any

from contracts.events import (
    ConsultationCompleted,
    ConsultationDeclined,
    ConsultationDiscontinued,
    ConsultationStarted,
    EncounterCompleted,
    EncounterDeclined,
    EncounterDiscontinued,
    EncounterStarted,
)
from contracts.money import yuan
from regulator_adapter import codesets
from regulator_adapter.mapping.guangdong.blocks import PROFILE, doctor, patient, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source

FollowUp = EncounterStarted | EncounterDeclined | EncounterCompleted | EncounterDiscontinued
Consultation = ConsultationStarted | ConsultationDeclined | ConsultationCompleted | ConsultationDiscontinued
Treatment = FollowUp | Consultation
Completed = EncounterCompleted | ConsultationCompleted
RUNNING, NOT_SEEN, STOPPED, ENDED = "1", "2", "3", "4"
"""jzzt."""
FOLLOW_UP, CONSULTATION = "1", "2"
"""jzlx."""
NEVER_FIRST = "0"
"""sfcz: nothing here is a first visit (诊疗办法 Art 16)."""


def numbers(event: Treatment) -> list[str]:
    """The visit's."""
    return [visit_number(event.visit)]


def build(source: Source[Treatment], number: str) -> dict[str, Any]:
    """The visit as it stands after this event."""
    event, visit = source.event, source.event.visit
    return (
        row(source, number)
        | patient(visit)
        | doctor(visit)
        | {
            "jzlsh": number,
            "jzfs": codesets.translate(codesets.VISIT_TYPE, visit.mode),
            "sfcz": NEVER_FIRST,
        }
        | _about(source, event)
        | _course(event)
    )


def _about(source: Source[Treatment], event: Treatment) -> dict[str, Any]:
    """What she came with: a diagnosis of our own hospital, or a question."""
    if isinstance(event, FollowUp):
        return {
            "jzlx": FOLLOW_UP,
            "czylwsjgdm": source.organisation.code,
            "czylwsjgmc": source.organisation.name,
            "yzdbm": event.original_diagnosis.code,
            "yzdmc": event.original_diagnosis.name,
            "bszy": event.disease_history if isinstance(event, EncounterCompleted) else None,
        }
    asked = None if isinstance(event, ConsultationStarted) else event.question.strip()
    answer = f"；答复：{event.answer.strip()}" if isinstance(event, ConsultationCompleted) else ""
    return {"jzlx": CONSULTATION, "zxnr": f"咨询：{asked or '未填写'}{answer}"}


def _course(event: Treatment) -> dict[str, Any]:
    if isinstance(event, EncounterStarted | ConsultationStarted):
        return {"jzzt": RUNNING, "kssj": stamp(event.started_at)}
    if isinstance(event, EncounterDeclined | ConsultationDeclined):
        return {"jzzt": NOT_SEEN, "jssj": stamp(event.declined_at), "wjyy": event.reason}
    if isinstance(event, EncounterDiscontinued | ConsultationDiscontinued):
        return {
            "jzzt": STOPPED,
            "kssj": stamp(event.started_at),
            "jssj": stamp(event.discontinued_at),
            "wjyy": event.reason,
        }
    return {
        "jzzt": ENDED,
        "sqsj": stamp(event.applied_at),
        "kssj": stamp(event.started_at),
        "jssj": stamp(event.completed_at),
        "fy": yuan(event.payment.amount),
        "zffs": event.payment.channel,
    } | _kept(event)


def _kept(event: Completed) -> dict[str, Any]:
    """Where the process data lie: the hospital's name for the visit, and of a video each side's recording and the sound in it."""
    kept = event.process_data_reference
    if event.visit.mode != "video":
        return {"twdz": f"{kept}/chat"}
    return {
        "twdz": f"{kept}/chat",
        "ysspdz": f"{kept}/video/practitioner",
        "hzspdz": f"{kept}/video/patient",
        "ypdz": f"{kept}/audio",
    }


KIND = RecordKind(PROFILE, "bb_pi_treatment", numbers, build)
