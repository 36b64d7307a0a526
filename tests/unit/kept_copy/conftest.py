"""A cloud and a hospital: a real gateway before a folder of the inner zone, and the hospital's own key."""

import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from backend.context import Context
from backend.kept_copy import service
from backend.kept_copy.model import KeptCopy
from backend.kept_copy.rules import Kind
from backend.kept_copy.tasks import drive
from backend.record import sheets
from backend.record.model import MedicalRecord
from backend.settings import Settings
from backend.video.model import Recording
from backend.writeback.model import WriteBack
from foundation.clock import Clock
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.object_store.kept import load_private, new_pair, open_kept
from foundation.tls import client_context
from front_gateway.keeping.folder import FolderKept
from front_gateway.keeping.route import Keeping
from front_gateway.policy.reading import DEFAULT, read_policy
from standalone.certificates import Certificates
from tests.builders.visits import Patient, a_patient, accepted, signs_record, writes
from tests.database import SharedClock
from tests.unit.gateway.background import Running, gateway
from tests.unit.recordings.made import recorded

PRIVATE, PUBLIC = new_pair(b"")


@dataclass(frozen=True)
class Inner:
    """The hospital's side: its folder, and the gateway before it."""

    folder: Path
    gateway: Running

    def opened(self, key: str) -> bytes:
        """A copy as the hospital reads it, by its own key alone."""
        name, reader = open_kept(io.BytesIO((self.folder / key).read_bytes()), load_private(PRIVATE, b""))
        assert name == key
        content = b"".join(reader.chunks())
        assert reader.complete
        return content


@dataclass(frozen=True)
class Visit:
    """A visit that has ended: signed record with its sheet, one recording."""

    patient: Patient
    encounter_id: str
    record_id: object
    appointment_id: object
    recording: Recording


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With the hospital's key."""
    key = tmp_path / "kept.pem"
    key.write_bytes(PUBLIC)
    return dataclasses.replace(settings, kept_public_key=key, keep_content_days=30)


@pytest.fixture
def inner(tmp_path: Path, backend_certificates: Certificates) -> Iterator[Inner]:
    """Up, and empty."""
    folder, audit = tmp_path / "inner", tmp_path / "audit"
    folder.mkdir()
    audit.mkdir()
    keeping = Keeping(FolderKept(folder))
    with gateway(
        read_policy(DEFAULT), backend_certificates, audit, clock=Clock(), keeping=keeping
    ) as running:
        yield Inner(folder, running)


@pytest.fixture
async def cloud(running: Context, inner: Inner, backend_certificates: Certificates) -> Context:
    """The backend's context, whose copies go through that gateway as the worker's."""
    pair = backend_certificates.hospital["backend-worker"]
    running.hospital_store.urls = (f"https://localhost:{inner.gateway.port}",)
    running.hospital_store.tls = client_context(
        pair.certificate, pair.key, backend_certificates.hospital.root
    )
    return running


@pytest.fixture
async def visit(cloud: Context, clock: SharedClock) -> Visit:
    """Over; the hospital has not acknowledged anything."""
    async with unit_of_work(cloud.db) as session:
        patient = await a_patient(session)
        row = await accepted(session, cloud, patient)
        await writes(session, row)
        record = await signs_record(session, cloud, row)
        recording = await recorded(session, cloud.objects, row, "patient", clock.now(), 0.0)
        row.ended_at = clock.now()
    await sheets.make_sheet(Work(cloud, record.id))
    return Visit(patient, str(row.id), record.id, row.appointment_id, recording)


async def acknowledged(context: Context, visit: Visit) -> list[KeptCopy]:
    """The hospital has taken the record; the rows of copies, by their keys."""
    async with unit_of_work(context.db) as session:
        await session.execute(
            update(WriteBack)
            .where(WriteBack.appointment_id == visit.appointment_id)
            .values(acknowledged_at=context.clock.now())
        )
        await service.on_acknowledged(session, context, visit.appointment_id)  # type: ignore[arg-type]
    return await copies(context)


async def copies(context: Context) -> list[KeptCopy]:
    """All of them."""
    async with unit_of_work(context.db) as session:
        query = select(KeptCopy).order_by(KeptCopy.kind, KeptCopy.object_key)
        return list(await session.scalars(query))


async def copied(context: Context, visit: Visit) -> list[KeptCopy]:
    """Acknowledged, and every job has run."""
    for row in await acknowledged(context, visit):
        await drive(Work(context, row.id))
    return await copies(context)


async def the(context: Context, kind: Kind) -> KeptCopy:
    """The one copy of this kind."""
    [found] = [one for one in await copies(context) if one.kind == kind]
    return found


async def record_of(context: Context, visit: Visit) -> MedicalRecord:
    """As it lies in the database."""
    async with unit_of_work(context.db) as session:
        return await session.get_one(MedicalRecord, visit.record_id)
