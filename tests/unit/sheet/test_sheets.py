"""A signed sheet and a file of evidence prove themselves to the stand-alone verifier, and to programs of others."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from backend.context import Context
from backend.prescription import sheets
from backend.sheet import render
from backend.sheet.render import CannotDrawError
from foundation.db.intents import TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import DOCTOR, PHARMACIST
from tests.town import Town
from tests.unit.sheet.conftest import Signed, Verify, a_prescription, read

pytestmark = pytest.mark.anyio
PDFSIG = pytest.mark.skipif(
    not shutil.which("pdfsig"), reason="apt-get install --no-install-recommends poppler-utils"
)


def run(*command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def shown(town: Town, name: str) -> bytes:
    return httpx.get(f"{town.ca}/v1/{name}", trust_env=False, verify=False).content


async def test_a_prescription_is_signed_by_its_doctor_then_by_the_pharmacist(
    prescription: Signed, verify: Verify
) -> None:
    said = verify(prescription.pdf, prescription.root)

    assert said.status == 0, said.text
    assert [(one["purpose"], one["holder"]) for one in said.report["signatures"]] == [
        ("prescriber", DOCTOR.holder),
        ("pharmacist", PHARMACIST.holder),
    ]
    assert all(one["at"].startswith("2026-11-20T01:10") for one in said.report["signatures"])


async def test_a_record_is_signed_by_its_doctor(record: Signed, verify: Verify) -> None:
    for content in (record.pdf, record.evidence):
        said = verify(content, record.root)

        assert said.status == 0, said.text
        assert [one["purpose"] for one in said.report["signatures"]] == ["author"]


async def test_sheet_and_evidence_are_of_the_same_content(prescription: Signed, verify: Verify) -> None:
    sheet, evidence = (
        verify(content, prescription.root).report for content in (prescription.pdf, prescription.evidence)
    )

    assert evidence["verdict"] == "valid"
    assert sheet["content_sha256"] == evidence["content_sha256"]


@PDFSIG
async def test_pdfsig_of_poppler_finds_both_signatures_valid_and_the_last_over_the_whole_file(
    prescription: Signed, tmp_path: Path
) -> None:
    file = tmp_path / "sheet.pdf"
    file.write_bytes(prescription.pdf)
    said = run("pdfsig", str(file), cwd=tmp_path).stdout

    assert said.count("Signature Validation: Signature is Valid.") == 2
    assert said.count("Signature Type: ETSI.CAdES.detached") == 2
    assert "Total document signed" in said.split("Signature #2")[1]

    damaged = bytearray(prescription.pdf)
    damaged[prescription.pdf.index(b"/MediaBox")] ^= 1
    file.write_bytes(damaged)
    said = run("pdfsig", str(file), cwd=tmp_path).stdout
    assert said.count("Digest Mismatch") == 2


async def test_openssl_verifies_the_cms_of_a_signature_against_the_root(
    record: Signed, town: Town, tmp_path: Path
) -> None:
    """By hand, as docs/signatures.md tells it."""
    (gap, after, rest) = map(int, re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", record.pdf)[0])
    data = bytes.fromhex(record.pdf[gap + 1 : after - 1].decode())
    (tmp_path / "signature.der").write_bytes(data[: 4 + int.from_bytes(data[2:4])])
    (tmp_path / "signed").write_bytes(record.pdf[:gap] + record.pdf[after : after + rest])
    issuing = shown(town, "issuing.pem")
    (tmp_path / "issuing.pem").write_bytes(issuing)
    command = [
        "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature.der", "-content", "signed",
        "-CAfile", str(record.root), "-certfile", "issuing.pem", "-purpose", "any", "-attime", str(int(MORNING.timestamp()) + 60),
        "-out", "/dev/null",
    ]  # fmt: skip

    good = run(*command, cwd=tmp_path)
    (tmp_path / "signed").write_bytes(record.pdf[:gap] + b" " + record.pdf[after : after + rest])
    bad = run(*command, cwd=tmp_path)

    assert good.returncode == 0, good.stderr
    assert bad.returncode != 0


async def test_without_the_right_root_nothing_is_believed(
    prescription: Signed, verify: Verify, other_root: Path
) -> None:
    for content in (prescription.pdf, prescription.evidence):
        said = verify(content, other_root)

        assert said.status == 1
        assert "证书不是由给定的根证书签发的" in said.text


async def test_what_is_added_after_the_last_signature_is_refused(
    prescription: Signed, verify: Verify
) -> None:
    said = verify(prescription.pdf + b"\n%added\n", prescription.root)

    assert said.status == 1
    assert "追加" in said.text


async def test_making_a_sheet_twice_makes_one(running: Context, root: Path) -> None:
    row = await a_prescription(running)
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        first = await sheets.finished(session, row)

    await sheets.make_sheet(Work(running, row.id))

    async with unit_of_work(running.db) as session:
        assert (await sheets.finished(session, row)).sha256 == first.sha256


async def test_a_sheet_lies_sealed_in_the_store(running: Context, root: Path, tmp_path: Path) -> None:
    row = await a_prescription(running)
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        found = await sheets.finished(session, row)

    stored = [path.read_bytes() for path in running.settings.object_folder.rglob("*") if path.is_file()]

    assert (await read(running, found.object_key)).startswith(b"%PDF-")
    assert len(stored) == 2
    assert not any(b"%PDF-" in one for one in stored)


async def test_before_the_sheet_is_made_asking_for_it_says_so(running: Context, root: Path) -> None:
    row = await a_prescription(running)

    async with unit_of_work(running.db) as session:
        with pytest.raises(Conflict) as refused:
            await sheets.finished(session, row)

    assert refused.value.code == "sheet_pending"


async def test_a_sheet_waits_for_the_next_shift_of_whoever_signed(
    running: Context, root: Path, clock: SharedClock
) -> None:
    row = await a_prescription(running)
    moves_on(clock, hours=5)

    with pytest.raises(TryLater):
        await sheets.make_sheet(Work(running, row.id))


async def test_a_character_without_a_glyph_is_refused_and_not_drawn_as_a_box() -> None:
    content = '{"chief_complaint":"","present_history":"","past_history":"","examination":"","opinion":"","advice":"","amendment_reason":"","diagnoses":[],"version":1,"practitioner":"","department":"","patient_age":1,"patient_name":"\U0001f600"}'  # fmt: skip
    words = {"hospital": "院", "digest": "", "date": "", "sex": ""}

    with pytest.raises(CannotDrawError):
        render.pdf("record", content.encode(), words, MORNING)


@pytest.fixture
def other_root(tmp_path: Path) -> Path:
    """Of a CA with the same names and other keys."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from simulators.ca import certificates

    path = tmp_path / "other.pem"
    path.write_bytes(certificates.root(MORNING).certificate.public_bytes(Encoding.PEM))
    return path
