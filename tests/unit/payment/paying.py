"""Steps that tests of jobs and of notifications share."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.payment import service, tasks
from backend.payment.model import MoneyEvent, Payment, Refund
from backend.payment.rules import RefundReason
from backend.wiring import handlers
from foundation.actor import SYSTEM
from foundation.db.intents import Intent, Work, due_ids, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers
from tests.builders.visits import Patient

pytestmark = pytest.mark.anyio


async def again(context: Context, payment: Payment) -> Payment:
    async with unit_of_work(context.db) as session:
        return await session.get_one(Payment, payment.id)


async def prepaid(api: httpx.AsyncClient, headers: Headers, payment: Payment) -> dict[str, Any]:
    answer = await api.post(f"/payments/{payment.id}/prepay", headers=headers)
    assert answer.status_code == 200, answer.text
    parameters: dict[str, Any] = answer.json()
    return parameters


async def pays(wechat: httpx.AsyncClient, parameters: dict[str, Any]) -> str:
    result: str = (await wechat.post("/phone/o-patient/pay", json=parameters)).json()["result"]
    return result


async def runs_due(context: Context) -> None:
    """Everything that is due now, as the worker's sweep would."""
    for intent_id in await due_ids(context.db):
        await run_one(context.db, context, handlers(), intent_id)


async def money(context: Context, payment: Payment) -> list[tuple[str, int]]:
    async with unit_of_work(context.db) as session:
        rows = await session.scalars(select(MoneyEvent).where(MoneyEvent.payment_id == payment.id))
        return [(row.kind, row.amount) for row in rows]


async def woken(context: Context) -> list[str]:
    """Jobs of this feature that wait to be done."""
    async with unit_of_work(context.db) as session:
        query = select(Intent.kind).where(
            Intent.done_at.is_(None), Intent.kind.in_((service.SETTLE, service.REFUND))
        )
        return list(await session.scalars(query))


async def parked(context: Context) -> list[str]:
    async with unit_of_work(context.db) as session:
        return list(await session.scalars(select(Intent.kind).where(Intent.parked_at.is_not(None))))


async def a_refund(
    api: httpx.AsyncClient,
    running: Context,
    wechat: httpx.AsyncClient,
    mother: tuple[Patient, Headers],
    held: Payment,
) -> UUID:
    """Requested for a paid place."""
    await pays(wechat, await prepaid(api, mother[1], held))
    await tasks.settle(Work(running, held.id))
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Appointment, held.subject_id)
        await booking.cancel(session, SYSTEM, row, RefundReason.DOCTOR_CANCELLED, "system")
        refund = (await session.scalars(select(Refund))).one()
        return refund.id
