"""Whose records are asked for: one person, several numbers, a child by her guardian, a proxy as far as she was granted."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from backend.context import Context
from backend.patient import service as registry
from backend.patient.model import Person
from contracts import his
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient
from tests.database import SharedClock, moves_on
from tests.small_world import DAUGHTER
from tests.town import Town

pytestmark = pytest.mark.anyio


def a_visit(number: int, clock: SharedClock, *codes: str, days_ago: int = 10) -> his.HospitalVisit:
    day = clock.today() - timedelta(days=days_ago)
    found = [his.VisitDiagnosis(code, "某病", "confirmed", rank) for rank, code in enumerate(codes, start=1)]
    return his.HospitalVisit(
        f"V{number}", f"{number:02x}" * 32, "outpatient", day, "老年科", "", "finished", found
    )


def known_as(patient_id: str, *merged: str) -> his.FindPatientReply:
    return his.FindPatientReply(his.Patient(patient_id, "林秀兰", "female", date(1950, 1, 1), list(merged)))


async def asks(
    api: httpx.AsyncClient, patient: Patient, me: Headers, code: str = "I10.x00"
) -> httpx.Response:
    body = {"person_id": str(patient.person.id), "diagnosis_code": code}
    return await api.post("/eligibility", json=body, headers=me)


def numbers(town: Town) -> list[str]:
    return [body["patient_id"] for operation, body in town.gateway.received if operation == "visits"]


async def granted(running: Context, *scope: str) -> tuple[Patient, Headers]:
    """The mother, and the session of the daughter whom she let do this."""
    mother, _ = await a_person(running)
    daughter, as_daughter = await a_person(running, DAUGHTER)
    async with unit_of_work(running.db) as session:
        code = await registry.make_grant_code(session, mother.actor, mother.person.id, scope)
        await registry.redeem_grant_code(session, daughter.actor, code, "女儿")
    return mother, as_daughter


async def test_all_numbers_of_a_person_are_asked_and_a_visit_counts_once(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["find-patient"] = known_as("P-9", "P-1", "P-2")
    town.gateway.answers["visits"] = his.VisitsReply([a_visit(1, clock, "I10.x00")])
    patient, me = await a_person(running)

    answer = await asks(api, patient, me)
    listed = (await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)).json()

    assert answer.json()["outcome"] == "eligible"
    assert sorted(numbers(town)[:3]) == ["P-1", "P-2", "P-9"]
    assert len(numbers(town)) == 6
    assert [one["code"] for one in listed] == ["I10.x00"]


async def test_a_registration_that_was_merged_meanwhile_is_found_the_next_day(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["find-patient"] = known_as("P-1")
    patient, me = await a_person(running)
    await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)
    town.gateway.answers["find-patient"] = known_as("P-9", "P-1")

    await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)
    async with unit_of_work(running.db) as session:
        yesterday = clock.today() - timedelta(days=1)
        await session.execute(update(Person).values(hospital_asked_on=yesterday))
    await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)

    assert numbers(town)[:2] == ["P-1", "P-1"]
    assert sorted(numbers(town)[2:]) == ["P-1", "P-9"]


async def test_unknown_name_and_number_that_do_not_fit_and_no_records_sound_the_same(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    heard: list[Any] = []
    for reply in (his.FindPatientReply(None), known_as("P-1")):
        town.gateway.answers["find-patient"] = reply
        answer = (await asks(api, patient, me)).json()
        heard.append({key: value for key, value in answer.items() if key not in ("id", "decided_at")})
        heard.append((await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)).json())
        moves_on(clock, seconds=61)

    assert heard[:2] == heard[2:]


async def test_a_guardian_asks_for_her_child(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["visits"] = his.VisitsReply([a_visit(1, clock, "J30.400")])
    parent, me = await a_person(running)
    child, _ = await a_person(running, DAUGHTER)
    async with unit_of_work(running.db) as session:
        assert parent.account is not None
        await registry._grant(session, parent.account, child.person.id, "guardian", "母亲")

    answer = await asks(api, child, me, "J30.400")

    assert answer.json()["outcome"] == "eligible"
    assert town.gateway.received[0][1]["id_number"] == DAUGHTER.id_number


async def test_without_a_grant_there_is_nobody(api: httpx.AsyncClient, running: Context, town: Town) -> None:
    patient, _ = await a_person(running)
    _, other = await a_person(running, DAUGHTER)

    assert (await asks(api, patient, other)).status_code == 404
    assert (await api.get(f"/persons/{patient.person.id}/diagnoses", headers=other)).status_code == 404
    assert town.gateway.received == []


async def test_a_proxy_without_the_grant_to_book_neither_asks_nor_looks(
    api: httpx.AsyncClient, running: Context, town: Town
) -> None:
    mother, daughter = await granted(running, "records")

    assert (await asks(api, mother, daughter)).json()["code"] == "scope_missing"
    listed = await api.get(f"/persons/{mother.person.id}/diagnoses", headers=daughter)
    assert listed.json()["code"] == "scope_missing"
    assert town.gateway.received == []


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (("book",), ["I10.x00"]), (("book", "records"), ["I10.x00", "K21.000"]),
        (("book", "records", "private"), ["I10.x00", "K21.000", "N76.000"]),
    ],
)  # fmt: skip
async def test_a_proxy_sees_of_the_list_what_she_was_granted(
    api: httpx.AsyncClient,
    running: Context,
    town: Town,
    clock: SharedClock,
    scope: tuple[str, ...],
    seen: list[str],
) -> None:
    """practice.md 2: gynaecological records need a grant of their own; a grant to book shows what can be booked."""
    town.gateway.answers["visits"] = his.VisitsReply(
        [a_visit(1, clock, "I10.x00", "N76.000"), a_visit(2, clock, "K21.000", days_ago=90)]
    )
    mother, daughter = await granted(running, *scope)

    listed = (await api.get(f"/persons/{mother.person.id}/diagnoses", headers=daughter)).json()
    private = await asks(api, mother, daughter, "N76.000")

    assert sorted(one["code"] for one in listed) == seen
    assert (private.status_code == 201) == ("private" in scope)


async def test_words_that_are_no_code_are_listed_for_her_to_name(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    words = a_visit(1, clock, "")
    town.gateway.answers["visits"] = his.VisitsReply([words])
    patient, me = await a_person(running)

    (listed,) = (await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)).json()
    answer = (await asks(api, patient, me, "K21.000")).json()

    assert (listed["code"], listed["outcome"]) == ("", "doctor_decides")
    assert (answer["outcome"], answer["reason"]) == ("doctor_decides", "text_only")


async def test_names_are_found_for_her_without_what_is_never_seen_online(
    api: httpx.AsyncClient, running: Context
) -> None:
    _, me = await a_person(running)

    found = (await api.get("/diseases?q=糖尿病", headers=me)).json()
    everything = (await api.get("/diseases?q=", headers=me)).json()

    assert "E11.900" in [one["code"] for one in found]
    assert not [one for one in found if one["code"].startswith("E11.1")]
    assert everything == []


async def test_a_hospital_that_goes_silent_after_it_named_her_is_no_yes_either(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["find-patient"] = known_as("P-9", "P-1")
    patient, me = await a_person(running)
    await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)
    moves_on(clock, seconds=61)
    town.gateway.refuses(503, "hospital_unreachable")

    answer = await asks(api, patient, me)

    assert (answer.status_code, answer.json()["code"]) == (503, "hospital_unreachable")
