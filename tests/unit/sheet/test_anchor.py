"""Whatever the CA says is believed only as far as it leads to the root we were given."""

import base64
import dataclasses
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from backend.context import Context
from backend.outside import ca_trust
from backend.outside.ca import SignatureProvider
from backend.outside.ca_algorithms import SM2
from backend.outside.ca_trust import UntrustedError
from backend.prescription import sheets
from backend.prescription.service import SUBJECT
from backend.signature import service as signatures
from foundation.canonical import canonical
from foundation.db.intents import TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id
from simulators.ca import certificates
from tests.builders.requests import staff_session
from tests.builders.visits import a_patient, accepted, drafted, on_shift, signed, signs
from tests.database import MORNING, SharedClock
from tests.small_world import DOCTOR, PHARMACIST
from tests.town import Town
from tests.unit.sheet.conftest import a_prescription

pytestmark = pytest.mark.anyio


@pytest.fixture
def impostor(tmp_path: Path) -> Path:
    """The root of somebody who calls himself like our CA."""
    path = tmp_path / "impostor.pem"
    path.write_bytes(certificates.root(MORNING).certificate.public_bytes(Encoding.PEM))
    return path


def holding(context: Context, root: Path) -> SignatureProvider:
    """The same CA, seen by a hospital that was given this root."""
    return dataclasses.replace(context.ca, root=root, _known={})


async def test_a_signature_of_a_ca_that_is_not_ours_is_refused(running: Context, impostor: Path) -> None:
    async with unit_of_work(running.db) as session:
        row = await drafted(session, await accepted(session, running, await a_patient(session)))
        await on_shift(session, running, DOCTOR)
        running.ca = holding(running, impostor)

        with pytest.raises(Unavailable) as refused:
            await signs(session, running, row)

    assert refused.value.code == "signature_untrusted"
    assert row.signed_at is None


async def test_time_stamps_certificates_and_lists_of_another_ca_are_refused(
    running: Context, impostor: Path
) -> None:
    other = holding(running, impostor)

    with pytest.raises(Unavailable) as stamp:
        await other.time_stamp(b"anything")
    with pytest.raises(Unavailable) as shown:
        await other.authorities()

    assert (stamp.value.code, shown.value.code) == ("time_stamp_unusable", "signature_untrusted")


@pytest.fixture
def sm2_root(town: Town, tmp_path: Path) -> Path:
    path = tmp_path / "sm2.pem"
    path.write_bytes(httpx.get(f"{town.ca}/v1/sm2/root.pem", trust_env=False, verify=False).content)
    return path


async def test_over_sm2_the_other_root_is_what_counts(running: Context, town: Town, sm2_root: Path) -> None:
    token = (await running.ca.open_session(DOCTOR.holder, DOCTOR.pin, 600)).session

    good = dataclasses.replace(running.ca, algorithm=SM2, root=town.ca_root, sm2_root=sm2_root, _known={})
    value = await good.sign(new_id(), token, b"content")
    bad = dataclasses.replace(good, sm2_root=town.ca_root, _known={})
    with pytest.raises(Unavailable) as refused:
        await bad.sign(new_id(), token, b"content")

    assert value.algorithm == "sm2-sm3"
    assert refused.value.code == "signature_untrusted"


async def test_a_signature_put_into_the_database_with_a_certificate_of_its_own_gets_no_approval_and_no_sheet(
    running: Context, api: httpx.AsyncClient
) -> None:
    """Whoever can write rows can make a key and a certificate with the doctor's name, but not our CA's signature on it."""
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, await a_patient(session))
        row = await signed(session, running, visit)
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        assert found is not None
        forged = certificates.root(MORNING)
        found.certificate_pem = forged.certificate.public_bytes(Encoding.PEM).decode()
        found.value = base64.b64encode(
            forged.key.sign(canonical(row.content), ec.ECDSA(hashes.SHA256()))
        ).decode()
        assert signatures.holds(found, row.content)
        await on_shift(session, running, PHARMACIST)

    headers = await staff_session(running, PHARMACIST)
    answer = await api.post(f"/prescriptions/{row.id}/approve", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "signature_untrusted")
    with pytest.raises(Unavailable):
        await sheets.make_sheet(Work(running, row.id))


async def test_a_sheet_of_other_content_than_was_signed_is_not_made(running: Context) -> None:
    row = await a_prescription(running)
    async with unit_of_work(running.db) as session:
        found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        assert found is not None
        found.value = base64.b64encode(bytes(70)).decode()

    with pytest.raises(TryLater):
        await sheets.make_sheet(Work(running, row.id))


async def test_lists_and_certificates_out_of_date_or_of_others_lead_nowhere(
    running: Context, clock: SharedClock, impostor: Path
) -> None:
    known, now = await running.ca.authorities(), clock.now()
    later = now.replace(year=now.year + 30)

    ca_trust.check_authority(known.issuing, known.root, now)
    ca_trust.check_list(known.revoked, known.issuing, now)
    mistakes: list[Callable[[], None]] = [
        lambda: ca_trust.check_authority(known.issuing, known.root, later),
        lambda: ca_trust.check_authority(known.issuing, known.time_stamping, now),
        lambda: ca_trust.check_authority(b"\x30\x00", known.root, now),
        lambda: ca_trust.check_list(known.revoked, known.issuing, later),
        lambda: ca_trust.check_list(known.revoked, known.root, now),
        lambda: ca_trust.check_list(known.revoked[:-1] + bytes([known.revoked[-1] ^ 1]), known.issuing, now),
        lambda: ca_trust.check_list(b"nonsense", known.issuing, now),
        lambda: ca_trust.check_certificate(known.time_stamping, known.issuing, known.root, now),
    ]
    for wrong in mistakes:
        with pytest.raises(UntrustedError):
            wrong()
