"""Which earlier prescription a refilled line continues: part of what is signed, and of nothing that was signed before."""

import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from backend.context import Context
from backend.encounter.model import FollowUp
from backend.prescription import service as prescribing
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from backend.prescription.signing import PrescriptionContent, Renewed, digest_of
from backend.prescription.wire import WritePrescription
from backend.review.draft import Draft, Item, Stated
from backend.sheet.verify_sheet import verify
from backend.signature import service as signatures
from contracts.events import Diagnosis
from foundation.canonical import canonical, sha256
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid
from foundation.ids import new_id
from tests.builders.requests import staff_session
from tests.builders.visits import (
    AMLODIPINE,
    HYPERTENSION,
    a_patient,
    accepted,
    approves,
    drafted,
    signed,
    signs,
)
from tests.small_world import DOCTOR, OTHER
from tests.town import Town

pytestmark = pytest.mark.anyio
SIGNED_LONG_AGO = (
    '{"allergies":"无","department":"心内科","diagnoses":[{"code":"I10.x00","name":"高血压"}],"disease_history":"无",'
    '"hospital":"示范医院","items":[],"number":"RX20261120AAAAAAAAAA","patient_age":66,"patient_name":"林秀兰",'
    '"patient_sex":"female","prescriber":"李明","prescriber_licence":"110","prescription_id":'
    '"01a20290-1448-722e-bff5-898e2613f4b5","reason":"","total":2860,"valid_days":1,"written":[{"days":7,"dose":"5",'
    '"drug_code":"YP001","frequency":"qd","note":"","quantity":1,"route":"1"}]}'
).encode()
"""Canonical bytes from before facts, their time and the origin of a line were there. Never to be written anew."""


def test_what_was_signed_long_ago_has_the_same_bytes_today() -> None:
    content = msgspec.json.decode(SIGNED_LONG_AGO, type=PrescriptionContent)

    assert canonical(content) == SIGNED_LONG_AGO
    assert digest_of(content) == sha256(SIGNED_LONG_AGO)
    assert content.renews == []


@pytest.fixture
async def earlier(running: Context) -> PrescriptionRow:
    """Approved in a visit of somebody."""
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, await a_patient(session))
        return await approves(session, running, await signed(session, running, visit))


@pytest.fixture
async def visit(running: Context, earlier: PrescriptionRow) -> FollowUp:
    """Another visit of the same person."""
    async with unit_of_work(running.db) as session:
        found = await accepted(session, running, await a_patient(session, OTHER))
        row = await session.get_one(PrescriptionRow, earlier.id)
        row.person_id = found.person_id
        return found


async def renewing(
    running: Context, visit: FollowUp, *origins: UUID | None, items: list[Item] | None = None
) -> PrescriptionRow:
    lines = items or [AMLODIPINE] * len(origins)
    draft = Draft(lines, [Diagnosis(HYPERTENSION, "高血压")], stated=Stated(weight_kg="61.5", egfr=75))
    async with unit_of_work(running.db) as session:
        return await prescribing.write(
            session, DOCTOR.actor, await session.get_one(FollowUp, visit.id), None, draft, valid_days=1,
            allergies="", findings=[], renews={line: one for line, one in enumerate(origins) if one},
        )  # fmt: skip


async def test_the_origin_is_what_the_doctor_signs(
    running: Context, earlier: PrescriptionRow, visit: FollowUp
) -> None:
    row = await renewing(running, visit, earlier.id)
    async with unit_of_work(running.db) as session:
        row = await signs(session, running, await session.get_one(PrescriptionRow, row.id))
        doctor = await signatures.standing(session, prescribing.SUBJECT, row.id, "prescriber")

    assert row.content.renews == [Renewed(0, earlier.id, earlier.number, earlier.digest.hex())]
    assert signatures.holds(doctor, row.content)
    for other in ([], [Renewed(0, earlier.id, earlier.number, "00" * 32)]):
        assert not signatures.holds(doctor, msgspec.structs.replace(row.content, renews=other))


@pytest.fixture
async def sheet(running: Context, earlier: PrescriptionRow, visit: FollowUp) -> bytes:
    """Of a refill, signed by both."""
    row = await renewing(running, visit, earlier.id)
    async with unit_of_work(running.db) as session:
        row = await signs(session, running, await session.get_one(PrescriptionRow, row.id))
        await approves(session, running, row)
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        found = await sheets.finished(session, await session.get_one(PrescriptionRow, row.id))
    return b"".join([part async for part in running.objects.read(found.object_key)])


def text_of(pdf: bytes, folder: Path) -> str:
    """What a reader sees, without white space."""
    file = folder / "sheet.pdf"
    file.write_bytes(pdf)
    shown = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    return "".join(shown.stdout.decode().split())


@pytest.fixture
def root(town: Town) -> bytes:
    return httpx.get(f"{town.ca}/v1/root.pem", trust_env=False, verify=False).content


async def test_the_sheet_of_a_refill_verifies(sheet: bytes, root: bytes) -> None:
    assert verify(sheet, [root]).good


@pytest.mark.skipif(
    not shutil.which("pdftotext"), reason="apt-get install --no-install-recommends poppler-utils"
)
async def test_the_sheet_says_where_a_line_comes_from_and_what_was_stated(
    sheet: bytes, earlier: PrescriptionRow, tmp_path: Path
) -> None:
    text = text_of(sheet, tmp_path)

    assert f"续自处方{earlier.number}" in text
    assert "体重：61.5kg" in text
    assert "肾小球滤过率（eGFR）：75" in text


async def test_a_line_continues_only_what_held_its_drug_for_this_person_in_another_visit(
    running: Context, earlier: PrescriptionRow, visit: FollowUp
) -> None:
    other_drug = Item("YP002", "30", "qd", "1", 7, 1)
    async with unit_of_work(running.db) as session:
        here = await drafted(session, await session.get_one(FollowUp, visit.id))

    with pytest.raises(Invalid) as refused:
        await renewing(
            running, visit, earlier.id, earlier.id, new_id(), here.id, None,
            items=[AMLODIPINE, other_drug, AMLODIPINE, AMLODIPINE, AMLODIPINE],
        )  # fmt: skip

    assert [one.field for one in refused.value.issues] == [f"items.{line}.renews" for line in (1, 2, 3)]


async def test_another_persons_prescription_is_no_origin(running: Context, earlier: PrescriptionRow) -> None:
    async with unit_of_work(running.db) as session:
        stranger = await accepted(session, running, await a_patient(session, OTHER))

    with pytest.raises(Invalid) as refused:
        await renewing(running, stranger, earlier.id)

    assert [one.code for one in refused.value.issues] == ["not_renewable"]


async def test_the_api_takes_the_origin_by_line_and_shows_it(
    running: Context, api: httpx.AsyncClient, earlier: PrescriptionRow, visit: FollowUp
) -> None:
    line: dict[str, Any] = {
        "drug_code": "YP001",
        "dose": "5",
        "frequency": "qd",
        "route": "1",
        "days": 7,
        "quantity": 1,
    }
    body = {"items": [line, line | {"renews": str(earlier.id)}], "diagnosis_codes": [HYPERTENSION]}

    answer = await api.post(
        f"/encounters/{visit.id}/prescriptions", json=body, headers=await staff_session(running, DOCTOR)
    )

    assert answer.status_code == 201, answer.text
    [origin] = answer.json()["renews"]
    assert (origin["line"], origin["number"]) == (1, earlier.number)
    assert msgspec.convert(body, WritePrescription, strict=False).renews() == {1: earlier.id}
