"""Where a second pair of eyes was wanted, it stands on the sheet and in the evidence, by name."""

import json

import pytest

from backend.context import Context
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from backend.prescription.service import SUBJECT
from backend.sheet.service import at_stage
from foundation.canonical import canonical
from foundation.db.unit_of_work import unit_of_work
from tests.small_world import DOCTOR, PHARMACIST, SECOND_PHARMACIST
from tests.unit.sheet.conftest import Signed, Verify, read

pytestmark = pytest.mark.anyio
ALL = [
    ("prescriber", DOCTOR.holder),
    ("pharmacist", PHARMACIST.holder),
    ("second_pharmacist", SECOND_PHARMACIST.holder),
]


async def test_the_second_pharmacist_signs_the_sheet_as_the_third(confirmed: Signed, verify: Verify) -> None:
    for content in (confirmed.pdf, confirmed.evidence):
        said = verify(content, confirmed.root)

        assert said.status == 0, said.text
        assert [(one["purpose"], one["holder"]) for one in said.report["signatures"]] == ALL


async def test_a_sheet_without_her_signature_is_refused(
    running: Context, confirmed: Signed, verify: Verify
) -> None:
    """Whoever cuts the file back to the first pharmacist's signature holds one that says itself that it is not the last."""
    async with unit_of_work(running.db) as session:
        row = await session.get_one(PrescriptionRow, confirmed.id)
        before = await at_stage(session, SUBJECT, row.id, row.digest, 2)
    assert before is not None

    said = verify(await read(running, before.object_key), confirmed.root)

    assert said.status == 1
    assert "缺少复核药师的签名" in said.text


async def test_a_sheet_that_no_pharmacist_has_seen_says_so(
    running: Context, confirmed: Signed, verify: Verify
) -> None:
    async with unit_of_work(running.db) as session:
        row = await session.get_one(PrescriptionRow, confirmed.id)
        before = await at_stage(session, SUBJECT, row.id, row.digest, 1)
    assert before is not None

    said = verify(await read(running, before.object_key), confirmed.root)

    assert [one["purpose"] for one in said.report["signatures"]] == ["prescriber"]
    assert said.report["notes"] == ["注意：没有药师的审核签名，这张处方尚未生效"]


async def test_one_pharmacist_cannot_be_both(confirmed: Signed, verify: Verify) -> None:
    body = json.loads(confirmed.evidence)
    body["signatures"][2] = body["signatures"][1] | {"purpose": "second_pharmacist"}

    said = verify(canonical(body), confirmed.root)

    assert said.status == 1
    assert "同一人签名两次" in said.text


@pytest.mark.parametrize(
    ("order", "why"), [([0, 2, 1], "次序"), ([0, 2], "次序"), ([1, 2], "次序"), ([0], "整个文件")]
)
async def test_other_signers_or_another_order_are_refused(
    confirmed: Signed, verify: Verify, order: list[int], why: str
) -> None:
    body = json.loads(confirmed.evidence)
    body["signatures"] = [body["signatures"][one] for one in order]

    said = verify(canonical(body), confirmed.root)

    assert said.status == 1
    assert why in said.text


async def test_one_whom_nobody_had_to_confirm_is_whole_with_two(
    running: Context, prescription: Signed, verify: Verify
) -> None:
    async with unit_of_work(running.db) as session:
        row = await session.get_one(PrescriptionRow, prescription.id)
        assert (await sheets.finished(session, row)).stage == 2

    said = verify(prescription.pdf, prescription.root)

    assert [(one["purpose"], one["holder"]) for one in said.report["signatures"]] == ALL[:2]
    assert said.status == 0
