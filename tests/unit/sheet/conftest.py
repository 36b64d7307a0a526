"""A prescription that was signed, reviewed and became a sheet; a record that was signed; the CA's root beside them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from backend.context import Context
from backend.policy import Policy, SecondPharmacist, bind_policy
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from backend.record import sheets as record_sheets
from backend.record.model import MedicalRecord
from backend.review.draft import Category, Finding, Severity
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import a_patient, accepted, approves, on_shift, signed, signs_record, writes
from tests.small_world import PHARMACIST, SECOND_PHARMACIST
from tests.town import Town

VERIFIER = Path(__file__).parents[3] / "backend" / "sheet" / "verify_sheet.py"
WANTS_A_REASON = Finding(
    rule="A-1", version="1", category=Category.APPROPRIATENESS, severity=Severity.REASON, item=0,
    message="超过七日，请说明理由", source="处方管理办法",
)  # fmt: skip


@dataclass
class Signed:
    """What left the system: the sheet, the evidence, and where the root is."""

    pdf: bytes
    evidence: bytes
    root: Path
    id: UUID


@dataclass
class Verdict:
    """What the verifier said: `status` 0 good, 1 refused, 2 could not run."""

    status: int
    report: dict[str, Any]
    text: str


Verify = Callable[..., Verdict]


async def read(context: Context, key: str) -> bytes:
    return b"".join([part async for part in context.objects.read(key)])


@pytest.fixture
def root(town: Town, tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(httpx.get(f"{town.ca}/v1/root.pem", trust_env=False, verify=False).content)
    return path


async def a_prescription(context: Context) -> PrescriptionRow:
    """Signed and approved; its sheet has not been made."""
    async with unit_of_work(context.db) as session:
        visit = await accepted(session, context, await a_patient(session))
        return await approves(session, context, await signed(session, context, visit))


async def one_of_three(context: Context) -> PrescriptionRow:
    """Approved by one pharmacist, confirmed by another; its sheet has not been made."""
    async with unit_of_work(context.db) as session:
        visit = await accepted(session, context, await a_patient(session))
        row = await signed(session, context, visit)
        await on_shift(session, context, SECOND_PHARMACIST)
        bind_policy(Policy(second_pharmacist=SecondPharmacist.ALWAYS))
        row.findings = [WANTS_A_REASON]
        try:
            row = await approves(session, context, row, PHARMACIST)
        finally:
            bind_policy(Policy())
        assert row.state == "checking"
    await sheets.make_sheet(
        Work(context, row.id)
    )  # the worker was late: it must not take one pharmacist for all
    async with unit_of_work(context.db) as session:
        row = await session.get_one(PrescriptionRow, row.id)
        return await approves(session, context, row, SECOND_PHARMACIST)


@pytest.fixture
async def confirmed(running: Context, root: Path) -> Signed:
    row = await one_of_three(running)
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        found = await sheets.finished(session, row)
    return Signed(await read(running, found.object_key), await sheets.proof(running, row), root, row.id)


async def a_record(context: Context) -> MedicalRecord:
    async with unit_of_work(context.db) as session:
        visit = await accepted(session, context, await a_patient(session))
        await writes(session, visit)
        return await signs_record(session, context, visit)


@pytest.fixture
async def prescription(running: Context, root: Path) -> Signed:
    row = await a_prescription(running)
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        found = await sheets.finished(session, row)
    return Signed(await read(running, found.object_key), await sheets.proof(running, row), root, row.id)


@pytest.fixture
async def record(running: Context, root: Path) -> Signed:
    row = await a_record(running)
    await record_sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        found = await record_sheets.finished(session, row)
    return Signed(
        await read(running, found.object_key), await record_sheets.proof(running, row), root, row.id
    )


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """The verifier as its user runs it: another process, the one file, isolated from our packages."""

    def run(content: bytes, root: Path, *more: str, name: str = "given") -> Verdict:
        file = tmp_path / name
        file.write_bytes(content)
        command = [sys.executable, "-I", str(VERIFIER), "--json", "--root", str(root), *more, str(file)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd=tmp_path)
        report = msgspec.json.decode(done.stdout) if done.stdout.startswith(b"{") else {}
        return Verdict(done.returncode, report, (done.stdout + done.stderr).decode())

    return run
