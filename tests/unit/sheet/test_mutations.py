"""Any byte of anything that was signed, changed to any other: refused. Each kind of part in each run, by properties.

`test_changes.py` walks over whole files; here every part that carries meaning is aimed at by name, with one pharmacist and with
two, over P-256 and over SM2, and by the backend's own checks as well as by the stand-alone verifier.
"""

import base64
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from asn1crypto.pem import unarmor
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from backend.context import Context
from backend.outside.ca_algorithms import verify as signature_holds
from backend.outside.time_stamps import BadTimeStampError, verified
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from backend.prescription.reviewing import verdict_of
from backend.prescription.service import SUBJECT
from backend.settings import CaAlgorithm, Settings
from backend.sheet.verify_sheet import verify as judged
from backend.signature import service as signatures
from foundation.canonical import canonical
from foundation.db.unit_of_work import Database, unit_of_work
from tests.backend_context import opened
from tests.database import SharedClock
from tests.town import Town
from tests.unit.sheet.conftest import Signed, a_prescription

pytestmark = pytest.mark.anyio
FAST = profile(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
FEW = profile(FAST, max_examples=25)
PLACE, MASK = st.integers(0, 2**31), st.integers(1, 255)


def changed(data: bytes, place: int, mask: int) -> bytes:
    """One byte of it is another."""
    at = place % len(data)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def refused_whatever_is_changed(data: bytes, holds: Callable[[bytes], bool], with_: profile = FAST) -> None:
    """The thing itself holds, and no other that differs in one byte does."""

    @with_
    @given(PLACE, MASK)
    def run(place: int, mask: int) -> None:
        assert not holds(changed(data, place, mask))

    assert holds(data)
    run()


@pytest.fixture
async def over_sm2(db: Database, settings: Settings, clock: SharedClock) -> AsyncIterator[Context]:
    async with opened(dataclasses.replace(settings, ca_algorithm=CaAlgorithm.SM2), clock, db) as made:
        yield made


@pytest.fixture
def roots(town: Town) -> list[bytes]:
    """Both."""
    shown = httpx.get(f"{town.ca}/v1/sm2/root.pem", trust_env=False, verify=False).content
    return [town.ca_root.read_bytes(), shown]


# what the backend itself checks before a pharmacist signs and before a sheet is made


@pytest.mark.parametrize("algorithm", ["ecdsa", "sm2"])
async def test_content_and_signature_of_doctor_and_pharmacist(
    running: Context, over_sm2: Context, algorithm: str
) -> None:
    context = over_sm2 if algorithm == "sm2" else running
    row = await a_prescription(context)
    async with unit_of_work(context.db) as session:
        mine = await session.get_one(PrescriptionRow, row.id)
        doctor = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        pharmacist = await signatures.standing(session, SUBJECT, row.id, "pharmacist")
    assert doctor is not None
    assert pharmacist is not None
    verdict = verdict_of(pharmacist.signer_id, mine, doctor.value)

    for made, over in ((doctor, canonical(mine.content)), (pharmacist, canonical(verdict))):
        name, pem, value = made.algorithm, made.certificate_pem, base64.b64decode(made.value)

        def over_this(content: bytes, name: str = name, pem: str = pem, value: bytes = value) -> bool:
            return signature_holds(name, pem, value, content)

        def by_this(value: bytes, name: str = name, pem: str = pem, over: bytes = over) -> bool:
            return signature_holds(name, pem, value, over)

        refused_whatever_is_changed(over, over_this)
        refused_whatever_is_changed(value, by_this)


async def test_the_meaning_of_a_time_stamp(running: Context, town: Town) -> None:
    """Over the bytes that the service signed, its signature, and what was stamped; the backend keeps no other part of it."""
    root = unarmor(town.ca_root.read_bytes())[2]
    data = b"a signature of somebody"
    token = await running.ca.time_stamp(data)
    signed = cms_parts(token)

    def holds(token: bytes, data: bytes = data) -> bool:
        try:
            verified(token, data, root)
        except BadTimeStampError:
            return False
        return True

    def elsewhere(part: bytes, other: bytes) -> bool:
        return holds(token.replace(part, other))

    refused_whatever_is_changed(data, lambda other: holds(token, other))
    for part in signed:
        assert token.count(part) == 1
        refused_whatever_is_changed(part, partial(elsewhere, part))


def cms_parts(token: bytes) -> list[bytes]:
    """TSTInfo, the signed attributes, the signature, the service's certificate."""
    from asn1crypto import cms

    content = cms.ContentInfo.load(token)["content"]
    (signer,), (certificate,) = content["signer_infos"], content["certificates"]
    return [
        content["encap_content_info"]["content"].contents, signer["signed_attrs"].contents,
        signer["signature"].contents, certificate.chosen["tbs_certificate"].dump(),
    ]  # fmt: skip


# what the stand-alone verifier refuses, part by part

PARTS: dict[str, Callable[[dict[str, Any]], tuple[dict[str, Any] | list[Any], str | int]]] = {
    "signature of the doctor": lambda body: (body["signatures"][0], "value"),
    "certificate of the doctor": lambda body: (body["signatures"][0], "certificate"),
    "time stamp of the doctor": lambda body: (body["signatures"][0], "time_stamp"),
    "signature of the last pharmacist": lambda body: (body["signatures"][-1], "value"),
    "certificate of the last pharmacist": lambda body: (body["signatures"][-1], "certificate"),
    "time stamp of the last pharmacist": lambda body: (body["signatures"][-1], "time_stamp"),
    "naming": lambda body: (body, "naming"),
    "archive": lambda body: (body, "archive"),
    "issuing authority": lambda body: (body["certificates"], 0),
    "revocation list": lambda body: (body["revocation_lists"], 0),
}
TEXTS: dict[str, Callable[[dict[str, Any]], tuple[dict[str, Any], str]]] = {
    "verdict": lambda body: (body["signatures"][-1]["statement"], "verdict"),
    "whose verdict": lambda body: (body["signatures"][-1]["statement"], "pharmacist"),
    "which prescription": lambda body: (body["signatures"][-1]["statement"], "prescription_digest"),
    "purpose": lambda body: (body["signatures"][-1], "purpose"),
    "algorithm": lambda body: (body["signatures"][0], "algorithm"),
    "patient": lambda body: (body["content"], "patient_name"),
    "dose": lambda body: (body["content"]["items"][0], "dose"),
    "reason": lambda body: (body["content"], "allergies"),
    "digest of a field": lambda body: (body["fields"], "patient_name"),
    "format": lambda body: (body, "format"),
}


def evidence_holds(raw: bytes, roots: list[bytes]) -> Callable[[Callable[[dict[str, Any]], None]], bool]:
    """Whether the evidence still holds after `act` has changed it, canonical again."""

    def run(act: Callable[[dict[str, Any]], None]) -> bool:
        body = json.loads(raw)
        act(body)
        return judged(canonical(body), roots).good

    return run


async def test_any_byte_of_each_binary_part_of_the_evidence(confirmed: Signed, roots: list[bytes]) -> None:
    holds = evidence_holds(confirmed.evidence, roots)
    for find in PARTS.values():
        place, name = find(json.loads(confirmed.evidence))

        def with_bytes(data: bytes, find: Any = find) -> bool:
            def act(body: dict[str, Any]) -> None:
                there, key = find(body)
                there[key] = base64.b64encode(data).decode()

            return holds(act)

        refused_whatever_is_changed(base64.b64decode(place[name]), with_bytes, FEW)  # type: ignore[index]


async def test_any_other_text_in_each_part_of_the_evidence(confirmed: Signed, roots: list[bytes]) -> None:
    holds = evidence_holds(confirmed.evidence, roots)
    plain = json.loads(confirmed.evidence)

    @profile(FAST, max_examples=150)
    @given(st.sampled_from(sorted(TEXTS)), st.text(max_size=40))
    def run(part: str, text: str) -> None:
        place, name = TEXTS[part](plain)

        def act(body: dict[str, Any]) -> None:
            there, key = TEXTS[part](body)
            there[key] = text

        assert text == place[name] or not holds(act)

    assert holds(lambda body: None)
    run()


async def test_any_byte_of_the_file_of_evidence(confirmed: Signed, roots: list[bytes]) -> None:
    refused_whatever_is_changed(confirmed.evidence, lambda data: judged(data, roots).good)


async def test_any_byte_of_the_file_of_evidence_over_sm2(over_sm2: Context, roots: list[bytes]) -> None:
    raw = await sheets.proof(over_sm2, await a_prescription(over_sm2))

    refused_whatever_is_changed(raw, lambda data: judged(data, roots).good, FEW)


async def test_any_byte_of_a_sheet_with_three_signatures(confirmed: Signed, roots: list[bytes]) -> None:
    refused_whatever_is_changed(confirmed.pdf, lambda data: judged(data, roots).good)


async def test_any_byte_of_a_record(record: Signed, roots: list[bytes], tmp_path: Path) -> None:
    for data in (record.pdf, record.evidence):
        refused_whatever_is_changed(data, lambda other: judged(other, roots).good)
