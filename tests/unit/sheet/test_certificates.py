"""Certificates end, are revoked and renewed; signatures over SM2; a time-stamp service that is down."""

import base64
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from asn1crypto.pem import unarmor
from sqlalchemy import select

from backend.context import Context
from backend.outside.ca_algorithms import SM2, Sm2
from backend.outside.time_stamps import verified
from backend.prescription import sheets
from backend.prescription.service import SUBJECT
from backend.settings import CaAlgorithm, Settings
from backend.signature import service as signatures
from backend.signature import tasks
from backend.signature.model import Signature
from foundation.db.intents import Intent, Work
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, Forbidden
from tests.backend_context import opened
from tests.builders.visits import a_patient, accepted, approves, drafted, on_shift, signed, signs
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR, PHARMACIST
from tests.town import Town
from tests.unit.sheet.conftest import Signed, Verify, a_prescription, read

pytestmark = pytest.mark.anyio


def ca(town: Town, holder: str, verb: str) -> None:
    url = f"{town.ca}/_test/holders/{holder}/{verb}"
    assert httpx.post(url, trust_env=False, verify=False).status_code == 200


@pytest.fixture
async def over_sm2(db: Database, settings: Settings, clock: SharedClock) -> AsyncIterator[Context]:
    changed = dataclasses.replace(settings, ca_algorithm=CaAlgorithm.SM2)
    async with opened(changed, clock, db) as made:
        assert made.ca.algorithm is SM2
        yield made


@pytest.fixture
def sm2_root(town: Town, tmp_path: Path) -> Path:
    path = tmp_path / "sm2-root.pem"
    path.write_bytes(httpx.get(f"{town.ca}/v1/sm2/root.pem", trust_env=False, verify=False).content)
    return path


@pytest.fixture
def renewed(town: Town) -> AsyncIterator[None]:  # type: ignore[misc]
    """The town is shared: whoever lost a certificate here gets a new one."""
    yield
    for one in (DOCTOR, PHARMACIST):
        ca(town, one.holder, "renew")


async def test_a_prescription_signed_over_sm2_verifies_without_network(
    over_sm2: Context, root: Path, sm2_root: Path, verify: Verify
) -> None:
    row = await a_prescription(over_sm2)
    said = verify(await sheets.proof(over_sm2, row), root, "--root", str(sm2_root))

    assert said.status == 0, said.text
    assert [one["algorithm"] for one in said.report["signatures"]] == ["SM2/SM3", "SM2/SM3"]

    await sheets.make_sheet(Work(over_sm2, row.id))
    async with unit_of_work(over_sm2.db) as session:
        found = await sheets.finished(session, row)
    said = verify(await read(over_sm2, found.object_key), root)
    assert said.status == 0, said.text


async def test_an_sm2_signature_of_other_content_is_refused(over_sm2: Context, root: Path) -> None:
    row = await a_prescription(over_sm2)
    async with unit_of_work(over_sm2.db) as session:
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
    assert found is not None
    value = base64.b64decode(found.value)

    assert signatures.holds(found, row.content)
    assert not Sm2().verify(found.certificate_pem, b"other", value)
    assert not Sm2().verify(found.certificate_pem, b"other", b"\x30\x00")


async def test_a_revoked_doctor_signs_nothing(running: Context, town: Town, renewed: None) -> None:
    async with unit_of_work(running.db) as session:
        row = await drafted(session, await accepted(session, running, await a_patient(session)))
        ca(town, DOCTOR.holder, "revoke")

        with pytest.raises(Forbidden) as refused:
            await signs(session, running, row)

    assert refused.value.code == "certificate_revoked"


async def test_an_expired_certificate_signs_nothing_until_it_is_renewed(
    running: Context, town: Town, renewed: None
) -> None:
    async with unit_of_work(running.db) as session:
        row = await drafted(session, await accepted(session, running, await a_patient(session)))
        ca(town, DOCTOR.holder, "expire")
        with pytest.raises(Forbidden) as refused:
            await signs(session, running, row)
        ca(town, DOCTOR.holder, "renew")
        await on_shift(session, running, DOCTOR)

        row = await signs(session, running, row)

    assert refused.value.code == "certificate_expired"
    assert row.signed_at is not None


async def test_what_was_signed_before_a_revocation_stays_good_and_what_was_after_does_not(
    running: Context, town: Town, root: Path, verify: Verify, clock: SharedClock, renewed: None
) -> None:
    row = await a_prescription(running)
    moves_on(clock, minutes=5)
    ca(town, DOCTOR.holder, "revoke")

    said = verify(await sheets.proof(running, row), root)

    assert said.status == 0, said.text

    async with unit_of_work(running.db) as session:
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        assert found is not None
        session.add(found)
        found.time_stamp = await running.ca.time_stamp(base64.b64decode(found.value))
    said = verify(await sheets.proof(running, row), root)
    assert said.status == 1
    assert "签名前证书已被吊销" in said.text


async def test_a_sheet_is_good_long_after_every_certificate_ended(
    prescription: Signed, clock: SharedClock, verify: Verify
) -> None:
    """The verifier asks no clock: what counts is the time stamp."""
    moves_on(clock, hours=24 * 365 * 10)

    assert verify(prescription.pdf, prescription.root).status == 0


async def test_without_a_time_stamp_service_a_doctor_signs_all_the_same_and_the_stamp_comes_later(
    running: Context, town: Town, root: Path, verify: Verify
) -> None:
    town.faults["ca"].replace({"tsa_down": True})
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, await a_patient(session))
        row = await signed(session, running, visit)
    async with unit_of_work(running.db) as session:
        waiting = (await session.scalars(select(Intent).where(Intent.kind == signatures.STAMP))).all()
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
    assert found is not None
    assert (found.time_stamp, [one.subject for one in waiting]) == (b"", [str(found.id)])
    with pytest.raises(Conflict) as refused:
        await sheets.proof(running, row)
    assert refused.value.code == "time_stamp_pending"

    town.faults["ca"].clear()
    await tasks.stamp(Work(running, found.id))

    async with unit_of_work(running.db) as session:
        kept = await session.get_one(Signature, found.id)
    der = unarmor(root.read_bytes())[2]
    assert verified(kept.time_stamp, base64.b64decode(kept.value), der) <= running.clock.now()
    assert verify(await sheets.proof(running, row), root).status == 0


async def test_a_pharmacist_cannot_approve_what_was_changed_under_the_doctors_signature(
    running: Context,
) -> None:
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, await a_patient(session))
        row = await signed(session, running, visit)
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        assert found is not None
        found.value = base64.b64encode(bytes(70)).decode()

        with pytest.raises(Conflict) as refused:
            await approves(session, running, row)

    assert refused.value.code == "signature_mismatch"
