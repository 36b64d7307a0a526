"""The national list of what may not be sold online holds at the order, at the bench and at the door, not only in the review."""

import dataclasses

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.dispensing import preparing, rules
from backend.dispensing import service as dispensing
from backend.dispensing.rules import CHECKS
from backend.formulary.facts import Drug, builtin
from backend.formulary.model import DrugRow
from backend.review.draft import Item
from backend.review.legality import banned
from contracts.events import PrescriptionItem
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid
from tests.builders.requests import a_person
from tests.builders.visits import (
    HOME,
    a_patient,
    accepted,
    approved,
    approves,
    on_shift,
    ordered,
    paid_order,
    prepared,
    signed,
)
from tests.small_world import PHARMACIST

pytestmark = pytest.mark.anyio
DRUGS = builtin()
LISTED = [drug for drug in DRUGS.values() if banned(drug) is not None]
HOW = {"name": HOME.name, "phone": HOME.phone, "address": HOME.address}


def lines(*drugs: Drug) -> tuple[list[Item], list[PrescriptionItem]]:
    written = [Item(one.code, "1", "qd", one.routes[0] if one.routes else "1", 7, 1) for one in drugs]
    items = [
        PrescriptionItem(
            one.code, one.generic_name, "", "", "", "1", "", "qd", "", "1", "", 7, 1, "", "", 1, 1
        )
        for one in drugs
    ]
    return written, items


@pytest.mark.parametrize("drug", LISTED, ids=lambda drug: drug.generic_name)
def test_what_is_listed_is_refused_by_its_line_and_name_where_the_list_applies(drug: Drug) -> None:
    written, items = lines(DRUGS["YP001"], drug)

    issues = rules.retail_issues(written, items, DRUGS, ban=True)

    assert [(one.field, one.code) for one in issues] == [("items.1", "retail_ban")]
    assert drug.generic_name in issues[0].message
    assert rules.retail_issues(written, items, DRUGS, ban=False) == []


def test_some_are_listed_and_most_are_not() -> None:
    assert 10 < len(LISTED) < len(DRUGS) / 2


def test_what_the_formulary_does_not_know_is_refused_where_the_list_applies() -> None:
    written, items = lines(DRUGS["YP001"])

    [issue] = rules.retail_issues(written, items, {}, ban=True)

    assert (issue.field, issue.code) == ("items.0", "retail_ban_unknown")
    assert "苯磺酸氨氯地平片" in issue.message
    assert rules.retail_issues(written, items, {}, ban=False) == []


async def comes_onto_the_list(session: AsyncSession) -> None:
    """Amlodipine turns into digoxin."""
    drug = (await session.scalars(select(DrugRow).where(DrugRow.code == "YP001"))).one()
    drug.facts = {**drug.facts, "ingredients": ["地高辛"]}
    await session.flush()


@pytest.mark.parametrize("method", ["courier", "pickup"])
async def test_it_cannot_be_ordered_either_way(session: AsyncSession, context: Context, method: str) -> None:
    patient = await a_patient(session)
    row = await approved(session, context, patient)
    await comes_onto_the_list(session)

    with pytest.raises(Invalid) as refused:
        await dispensing.order(session, patient.actor, row, method, HOME, retail_ban=True)
    order, _ = await ordered(session, patient, row, method)  # where the list does not apply

    assert [one.field for one in refused.value.issues] == ["items.0"]
    assert order.method == method


async def test_paid_before_the_list_applied_it_is_stopped_at_the_bench_and_the_money_goes_back(
    session: AsyncSession, context: Context
) -> None:
    order = await paid_order(session, context, await a_patient(session))
    await on_shift(session, context, PHARMACIST)
    await comes_onto_the_list(session)

    with pytest.raises(Invalid) as refused:
        await preparing.prepare(session, PHARMACIST.actor, order, "无追溯码", retail_ban=True)
    assert refused.value.code == "may_not_leave"
    assert "苯磺酸氨氯地平片" in refused.value.detail
    assert order.prepared_at is None
    await dispensing.decline(session, PHARMACIST.actor, order, refused.value.detail)

    assert order.state == "declined"


@pytest.mark.parametrize("method", ["courier", "pickup"])
async def test_prepared_before_the_list_applied_it_is_stopped_at_the_door(
    session: AsyncSession, context: Context, method: str
) -> None:
    order = await prepared(
        session, context, await paid_order(session, context, await a_patient(session), method)
    )
    await comes_onto_the_list(session)

    with pytest.raises(Invalid) as refused:
        await dispensing.hand_over(
            session, PHARMACIST.actor, order, list(CHECKS), retail_ban=True,
            pickup_code=order.pickup_code or "",
        )  # fmt: skip

    assert [one.code for one in refused.value.issues] == ["retail_ban"]
    assert order.state == "preparation"


async def test_what_turned_out_to_stay_cold_does_not_leave_by_courier(
    session: AsyncSession, context: Context
) -> None:
    order = await prepared(session, context, await paid_order(session, context, await a_patient(session)))
    drug = (await session.scalars(select(DrugRow).where(DrugRow.code == "YP001"))).one()
    drug.facts = {**drug.facts, "cold_chain": True}
    await session.flush()

    with pytest.raises(Invalid) as refused:
        await dispensing.hand_over(session, PHARMACIST.actor, order, list(CHECKS), retail_ban=False)

    assert [one.code for one in refused.value.issues] == ["cold_chain"]


@pytest.mark.parametrize("applies", [True, False])
async def test_the_setting_decides_at_the_api(
    running: Context, api: httpx.AsyncClient, applies: bool
) -> None:
    patient, hers = await a_person(running)
    async with unit_of_work(running.db) as session:
        row = await approves(
            session, running, await signed(session, running, await accepted(session, running, patient))
        )
        await comes_onto_the_list(session)
    running.settings = dataclasses.replace(running.settings, review_retail_ban=applies)

    ways = (await api.get(f"/prescriptions/{row.id}/ways", headers=hers)).json()
    answer = await api.post(
        f"/prescriptions/{row.id}/order", json={"method": "courier", "receiver": HOW}, headers=hers
    )

    assert (ways["courier"], ways["pickup"]) == (not applies, not applies)
    assert ("药品网络销售禁止清单" in ways["why_not"]) is applies
    assert answer.status_code == (422 if applies else 201)
    if applies:
        [issue] = answer.json()["issues"]
        assert issue["field"] == "items.0"
        assert "苯磺酸氨氯地平片" in issue["message"]
