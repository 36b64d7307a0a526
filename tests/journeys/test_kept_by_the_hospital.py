"""The durable copy is the hospital's: after a visit it has everything, and a month later the cloud has nothing but digests.

A system of its own, for its clock moves by weeks.
"""

import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_signed_sheets import verified
from tests.world import World, running_world

NEEDED = {"api", "worker", "gateway-a", "gateway-b", "his", "supervision", "wechat", "identity", "ca"}
KEPT_FOLDERS = ("records", "sheets")


@pytest.fixture(scope="module")
async def hospital(worker: int) -> AsyncIterator[World]:
    """Visits without video, feed and couriers."""
    async with running_world(worker, NEEDED) as world:
        yield world


def files(folder: Path) -> set[str]:
    """Everything below that may hold a visit's content, by its key."""
    found = (path for name in KEPT_FOLDERS for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def opened_by_the_hospital(root: Path, key: str, out: Path) -> bytes:
    """As its archivist would, on a machine without a network."""
    command = [
        sys.executable, "-m", "front_gateway", "kept", "open", str(root / "inner" / "kept" / key), "--key",
        str(root / "inner" / "kept.key"), "--out", str(out),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


async def test_a_visit_ends_up_at_the_hospital_and_is_still_the_patients(
    hospital: World, tmp_path: Path
) -> None:
    world = hospital
    root: Path = world.system.installation.folder.root
    ours, theirs = root / "objects", root / "inner" / "kept"
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.reads_history(visit["id"])
    await doctor.accepts(visit["id"])
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])
    sheet, record = f"/encounters/{visit['id']}/record/sheet", f"/encounters/{visit['id']}/record"

    async def signed() -> bytes | None:
        answer = await patient.api.raw("GET", sheet)
        return bytes(answer.content) if answer.status_code == 200 else None

    paper = await world.until(signed, "a signed sheet")
    said: dict[str, Any] = await patient.api.call("GET", record)
    clerk = await world.staff("clerk")

    async def in_state(state: str, number: int) -> bool | None:
        overview = await clerk.api.call("GET", "/kept-copies")
        counts = {one["state"]: one["copies"] for one in overview["counts"]}
        assert not overview["refused"], overview["refused"]
        return (counts[state] >= number and counts["requested"] == 0) or None

    await world.moves_on(minutes=11)  # the sheet may have come after the acknowledgement: the sweep finds it
    await world.until(lambda: in_state("verified", 2), "copies that were read back", 60)
    keys = files(theirs)
    assert {key.split("/")[0] for key in keys} == set(KEPT_FOLDERS)
    [kept_sheet] = [key for key in keys if key.startswith("sheets/")]
    assert opened_by_the_hospital(root, kept_sheet, tmp_path / "theirs.pdf") == paper

    await world.moves_on(days=31)
    await clerk.logs_in()
    await world.until(lambda: in_state("dropped", 2), "content dropped in the cloud", 60)
    assert files(ours) == set()
    assert files(theirs) == keys

    await patient.logs_in()
    again = await patient.api.raw("GET", sheet)
    assert (again.status_code, again.content) == (200, paper)
    assert await patient.api.call("GET", record) == said
    (tmp_path / "hers.pdf").write_bytes(again.content)
    verdict = verified(tmp_path / "hers.pdf", world.ca_root)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert said["digest"] == hashlib.sha256(content_of(root, keys, tmp_path)).hexdigest()


def content_of(root: Path, keys: set[str], folder: Path) -> bytes:
    """What was signed, from the hospital's own copy."""
    [key] = [key for key in keys if key.startswith("records/")]
    return opened_by_the_hospital(root, key, folder / "record.json")
