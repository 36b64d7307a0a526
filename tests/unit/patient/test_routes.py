from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.context import Context
from backend.patient.guessing import GUESSES
from backend.patient.model import IdentityCheck, Person
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person, patient_session
from tests.database import SharedClock
from tests.small_world import DAUGHTER, OTHER, PATIENT
from tests.town import Town

pytestmark = pytest.mark.anyio


def body(**changes: Any) -> dict[str, Any]:
    return {"name": PATIENT.name, "id_number": PATIENT.id_number, "kind": "self"} | changes


async def count(context: Context, model: Any) -> int:
    async with unit_of_work(context.db) as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
async def me(running: Context) -> Headers:
    return (await patient_session(running))[1]


async def test_a_person_is_added_when_the_real_name_service_says_that_she_matches(
    api: httpx.AsyncClient, me: Headers
) -> None:
    answer = await api.post("/persons", json=body(), headers=me)

    person = answer.json()
    assert (answer.status_code, person["kind"], person["consented"]) == (201, "self", False)
    assert person["id_number"] == f"310114********{PATIENT.id_number[-4:]}"
    assert [one["id"] for one in (await api.get("/persons", headers=me)).json()] == [person["id"]]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": OTHER.name}, "name", "identity_mismatch"),
        ({"id_number": "11010519491231002X"}, "id_number", "identity_not_found"),
        ({"id_number": PATIENT.id_number[:-1] + "0"}, "id_number", "wrong_check_digit"),
        ({"name": "1"}, "name", "wrong_length"),
        ({"kind": "proxy"}, "kind", "wrong_format"),
    ],
)
async def test_who_is_not_who_she_says_is_refused_by_the_field(
    api: httpx.AsyncClient, me: Headers, running: Context, changes: dict[str, str], field: str, code: str
) -> None:
    answer = await api.post("/persons", json=body(**changes), headers=me)

    assert answer.status_code == 422
    assert [(issue["field"], issue["code"]) for issue in answer.json()["issues"]] == [(field, code)]
    assert await count(running, Person) == 0
    async with unit_of_work(running.db) as session:
        line = (await session.scalars(select(AuditEvent).where(AuditEvent.action == "patient.verify"))).one()
    assert line.outcome == "refused"


@pytest.mark.parametrize("fault", [{"down": True}, {"garbage": True}])
async def test_a_service_that_does_not_answer_never_counts_as_a_yes(
    api: httpx.AsyncClient, me: Headers, running: Context, town: Town, fault: dict[str, bool]
) -> None:
    """Design 2, row 2: service down → not verified, never assumed."""
    town.faults["identity"].replace(fault)

    answer = await api.post("/persons", json=body(), headers=me)

    assert answer.status_code == 503
    assert await count(running, Person) == 0
    async with unit_of_work(running.db) as session:
        check = (await session.scalars(select(IdentityCheck))).one()
    assert (check.result, check.answered_at) == ("", None)


async def test_a_phone_comes_before_a_person(api: httpx.AsyncClient, running: Context) -> None:
    from backend.account.service import account_of, open_patient_session

    async with unit_of_work(running.db) as session:
        token = await open_patient_session(session, await account_of(session, "wx", "o-new"))

    answer = await api.post("/persons", json=body(), headers={"authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (409, "phone_not_bound")


async def test_somebody_elses_person_is_not_there(api: httpx.AsyncClient, running: Context) -> None:
    mother, _ = await a_person(running)
    _, stranger = await a_person(running, OTHER)
    path = f"/persons/{mother.person.id}"

    answers = [
        await api.get(f"{path}/diagnoses", headers=stranger),
        await api.post(f"{path}/grant-codes", headers=stranger),
        await api.delete(f"{path}/consents/informed_consent", headers=stranger),
        await api.delete(f"{path}/grants/{mother.person.id}", headers=stranger),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4


async def test_a_code_cannot_be_guessed(api: httpx.AsyncClient, running: Context, clock: SharedClock) -> None:
    _, hers = await a_person(running)
    mother, mothers = await a_person(running, DAUGHTER)
    code = (await api.post(f"/persons/{mother.person.id}/grant-codes", headers=mothers)).json()["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(GUESSES):
        assert (await api.post("/grants", json={"code": wrong}, headers=hers)).status_code == 422

    refused = await api.post("/grants", json={"code": code}, headers=hers)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
    assert refused.headers["retry-after"] == "600"
