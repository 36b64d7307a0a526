"""Neither diagnosis nor record nor prescription can exist on a health consultation (practice.md 6): not by a mistake in the code.

Three walls: the types (mypy: what diagnoses takes a `FollowUp`), the routes, and the database, which is asked here directly.
"""

import typing
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, inspect, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.model import Consultation, Encounter, FollowUp
from backend.prescription import examining
from backend.prescription import service as prescribing
from backend.prescription.model import PrescriptionRow
from backend.record import history
from backend.record import service as records
from backend.record.model import MedicalRecord
from contracts import events
from foundation.db.columns import DataClass, keyring
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.ids import new_id
from tests.builders.requests import a_person, staff_session
from tests.builders.visits import FIELDS, a_patient, accepted, advised, drafted, writes
from tests.small_world import SECOND_DOCTOR

pytestmark = pytest.mark.anyio

DIAGNOSING = [
    (visiting.confirm_diagnoses, "row"), (records.write, "row"), (records.want_signature, "row"), (records.signed, "row"),
    (records.finish, "row"), (history.report_view, "row"), (examining.examine, "visit"), (prescribing.write, "visit"),
]  # fmt: skip
CLINICAL = {"diagnoses", "original_code", "original_day", "doctor_decides", "follow_up_confirmed_at"}


@pytest.mark.parametrize(("act", "name"), DIAGNOSING, ids=lambda one: getattr(one, "__name__", ""))
def test_what_diagnoses_or_prescribes_takes_a_follow_up(act: Callable[..., Any], name: str) -> None:
    """`mypy --strict` refuses a `Consultation` there."""
    assert typing.get_type_hints(act)[name] is FollowUp
    assert not issubclass(Consultation, FollowUp)


def test_a_consultation_has_no_attribute_for_a_diagnosis() -> None:
    assert set(inspect(FollowUp).columns.keys()) >= CLINICAL
    assert not CLINICAL & set(inspect(Consultation).columns.keys())
    assert not any(hasattr(Consultation, name) for name in CLINICAL)


@pytest.mark.parametrize(
    "event",
    [
        events.ConsultationStarted,
        events.ConsultationDeclined,
        events.ConsultationCompleted,
        events.ConsultationDiscontinued,
    ],
)
def test_no_event_of_a_consultation_has_a_field_for_one(event: Any) -> None:
    hints = typing.get_type_hints(event).values()

    assert not any("Diagnosis" in str(hint) or "Prescription" in str(hint) for hint in hints)


@pytest.mark.parametrize(
    "values",
    [
        {"diagnoses": b"sealed"}, {"original_code": "I10.x00"}, {"original_day": "2026-11-10"},
        {"follow_up_confirmed_at": "2026-11-20 01:00+00"}, {"doctor_decides": False}, {"kind": "follow_up"},
        {"kind": "something"},
    ],
)  # fmt: skip
async def test_the_database_gives_a_consultation_no_diagnosis(
    session: AsyncSession, context: Context, values: dict[str, Any]
) -> None:
    visit = await advised(session, context, await a_patient(session))
    (name,) = values
    cast = {"original_day": "::date", "follow_up_confirmed_at": "::timestamptz"}.get(name, "")
    value = str(values[name]) if cast else values[name]

    with pytest.raises(IntegrityError):
        await session.execute(
            text(f"UPDATE encounter SET {name} = (:value){'::text' + cast if cast else ''} WHERE id = :id"),
            {"value": value, "id": visit.id},
        )


async def test_the_database_does_not_make_a_follow_up_with_a_record_into_a_consultation(
    session: AsyncSession, context: Context
) -> None:
    visit = await accepted(session, context, await a_patient(session))
    await writes(session, visit)
    await session.flush()

    with pytest.raises(IntegrityError):
        await session.execute(
            text(
                "UPDATE encounter SET kind = 'consultation', original_code = NULL, original_day = NULL,"
                " doctor_decides = NULL, follow_up_confirmed_at = NULL, diagnoses = NULL WHERE id = :id"
            ),
            {"id": visit.id},
        )


async def a_copy(session: AsyncSession, context: Context, model: Any, row: Any, **changes: Any) -> None:
    """The same row again, as a programming error would write it."""
    values = {column.key: getattr(row, column.key) for column in inspect(model).columns} | {"id": new_id()}
    await session.execute(insert(model).values(**(values | changes)))


@pytest.mark.parametrize("kind", ["follow_up", "consultation"])
async def test_the_database_refuses_a_record_of_a_consultation(
    session: AsyncSession, context: Context, kind: str
) -> None:
    patient = await a_patient(session)
    consultation = await advised(session, context, patient)
    visit = await accepted(session, context, patient)
    record = await writes(session, visit)
    await session.flush()

    with pytest.raises(IntegrityError):
        await a_copy(
            session, context, MedicalRecord, record, encounter_id=consultation.id, encounter_kind=kind
        )


@pytest.mark.parametrize("kind", ["follow_up", "consultation"])
async def test_the_database_refuses_a_prescription_of_a_consultation(
    session: AsyncSession, context: Context, kind: str
) -> None:
    patient = await a_patient(session)
    consultation = await advised(session, context, patient)
    row = await drafted(session, await accepted(session, context, patient))
    await session.flush()

    with pytest.raises(IntegrityError):
        await a_copy(
            session, context, PrescriptionRow, row, encounter_id=consultation.id, encounter_kind=kind, number="RX1",
            lookup_id="1",
        )  # fmt: skip


@pytest.mark.parametrize("table", [MedicalRecord, PrescriptionRow])
async def test_no_record_or_prescription_is_moved_to_a_consultation(
    session: AsyncSession, context: Context, table: Any
) -> None:
    patient = await a_patient(session)
    consultation = await advised(session, context, patient)
    visit = await accepted(session, context, patient)
    await writes(session, visit)
    await drafted(session, visit)
    await session.flush()

    with pytest.raises(IntegrityError):
        await session.execute(update(table).values(encounter_id=consultation.id))


def test_diagnoses_stay_encrypted_content() -> None:
    assert Encounter.__table__.c.diagnoses.info["data_class"] is DataClass.CONTENT
    assert keyring is not None


PRESCRIPTION = {"items": [], "diagnosis_codes": ["I10.x00"]}


async def test_every_route_that_diagnoses_refuses_a_consultation(api: Any, running: Context) -> None:
    patient, as_patient = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await advised(session, running, patient)
        assert clock_of(session) is not None
    as_doctor = await staff_session(running, SECOND_DOCTOR)
    path = f"/encounters/{visit.id}"
    fields = {name: value for name, value in FIELDS.items() if name != "amendment_reason"}

    answers = [
        await api.get(f"{path}/history", headers=as_doctor),
        await api.put(f"{path}/record", json=fields, headers=as_doctor),
        await api.post(f"{path}/record/sign", headers=as_doctor),
        await api.post(f"{path}/finish", headers=as_doctor),
        await api.put(f"{path}/diagnoses", json={"codes": ["I10.x00"]}, headers=as_doctor),
        await api.post(f"{path}/prescriptions", json=PRESCRIPTION, headers=as_doctor),
        await api.post(f"{path}/prescriptions/check", json=PRESCRIPTION, headers=as_doctor),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (409, "not_a_follow_up_visit")
    ] * len(answers)
    shown = (await api.get(path, headers=as_patient)).json()
    assert (shown["kind"], shown["diagnoses"], shown["original_diagnosis"]) == ("consultation", [], None)
    assert (await api.get(f"{path}/prescriptions", headers=as_patient)).json() == []
