"""The patient takes her prescription and her record away, and they prove themselves without the hospital."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx

from tests.world import World

VERIFIER = Path(__file__).parents[2] / "backend" / "sheet" / "verify_sheet.py"


def verified(file: Path, root: Path) -> "subprocess.CompletedProcess[str]":
    """As whoever got the file would do it."""
    command = [sys.executable, "-I", str(VERIFIER), "--root", str(root), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_a_patient_downloads_sheets_that_anybody_can_verify(world: World, tmp_path: Path) -> None:
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.reads_history(visit["id"])
    await doctor.accepts(visit["id"])
    await doctor.writes_record(visit["id"])
    prescription = await doctor.prescribes(visit["id"])
    await world.passes(prescription)

    async def made(path: str) -> bytes | None:
        answer: httpx.Response = await patient.api.raw("GET", path)
        return answer.content if answer.status_code == 200 else None

    for path, signers in (
        (f"/prescriptions/{prescription}/sheet", 2),
        (f"/prescriptions/{prescription}/evidence", 2),
        (f"/encounters/{visit['id']}/record/sheet", 1),
        (f"/encounters/{visit['id']}/record/evidence", 1),
    ):
        content = await world.until(partial(made, path), path)
        file = tmp_path / "downloaded"
        file.write_bytes(content)
        said = verified(file, world.ca_root)

        assert said.returncode == 0, said.stdout + said.stderr
        assert said.stdout.count("：有效") == signers
