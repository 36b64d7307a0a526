"""Who may download a sheet or the evidence: those who may see the prescription or the record, nobody else."""

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from backend.context import Context
from backend.prescription import sheets
from backend.record import sheets as record_sheets
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import a_person, bearer, staff_session
from tests.builders.visits import accepted, approves, signed, signs_record, writes
from tests.small_world import DOCTOR, OTHER, PHARMACIST, SECOND_DOCTOR
from tests.unit.sheet.conftest import VERIFIER, Signed

pytestmark = pytest.mark.anyio


async def test_a_prescription_goes_to_its_patient_its_doctor_and_the_pharmacist(
    running: Context, api: httpx.AsyncClient
) -> None:
    patient, hers = await a_person(running)
    _, strangers = await a_person(running, OTHER)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
        row = await signed(session, running, visit)
    sheet, evidence = f"/prescriptions/{row.id}/sheet", f"/prescriptions/{row.id}/evidence"
    assert (await api.get(sheet, headers=hers)).json()["code"] == "no_sheet"
    async with unit_of_work(running.db) as session:
        await approves(session, running, row)
    assert (await api.get(sheet, headers=hers)).json()["code"] == "sheet_pending"
    await sheets.make_sheet(Work(running, row.id))

    for headers in (hers, await staff_session(running, DOCTOR), await staff_session(running, PHARMACIST)):
        answer = await api.get(sheet, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        assert answer.headers["cache-control"] == "private, no-store"
        proof = await api.get(evidence, headers=headers)
        assert (proof.status_code, len(proof.json()["signatures"])) == (200, 2)
    for headers in (strangers, await staff_session(running, SECOND_DOCTOR)):
        for path in (sheet, evidence):
            assert (await api.get(path, headers=headers)).status_code in (403, 404)
    for path in (sheet, evidence):
        assert (await api.get(path, headers=bearer("nobody"))).status_code == 401


async def test_a_record_goes_to_its_patient_and_its_doctor(running: Context, api: httpx.AsyncClient) -> None:
    patient, hers = await a_person(running)
    _, strangers = await a_person(running, OTHER)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
        await writes(session, visit)
    sheet, evidence = f"/encounters/{visit.id}/record/sheet", f"/encounters/{visit.id}/record/evidence"
    assert (await api.get(sheet, headers=hers)).status_code == 404
    async with unit_of_work(running.db) as session:
        record = await signs_record(session, running, visit)
    await record_sheets.make_sheet(Work(running, record.id))

    for headers in (hers, await staff_session(running, DOCTOR)):
        assert (await api.get(sheet, headers=headers)).content.startswith(b"%PDF-")
        assert (await api.get(evidence, headers=headers)).json()["content"]["patient_name"]
    for headers in (strangers, await staff_session(running, SECOND_DOCTOR)):
        for path in (sheet, evidence):
            assert (await api.get(path, headers=headers)).status_code in (403, 404)


async def test_anybody_gets_the_verifier_as_one_file_that_runs_alone(
    api: httpx.AsyncClient, prescription: Signed, tmp_path: Path
) -> None:
    answer = await api.get("/verifier")
    assert answer.status_code == 200
    assert "verify_sheet.py" in answer.headers["content-disposition"]
    (tmp_path / "verify_sheet.py").write_bytes(answer.content)
    (tmp_path / "sheet.pdf").write_bytes(prescription.pdf)

    command = [sys.executable, "-I", "verify_sheet.py", "--root", str(prescription.root), "sheet.pdf"]
    done = await asyncio.to_thread(
        lambda: subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    )

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("：有效") == 2


def test_the_verifier_imports_nothing_of_ours_and_nothing_that_reaches_a_network() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"))
    names = {
        (one.module or "") if isinstance(one, ast.ImportFrom) else alias.name
        for one in ast.walk(tree)
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }

    allowed = sys.stdlib_module_names - {"socket", "ssl", "http", "urllib", "subprocess", "asyncio", "ctypes"}
    assert {name.partition(".")[0] for name in names} <= allowed | {"asn1crypto", "cryptography"}
