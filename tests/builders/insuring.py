"""An insured patient before the whole application: authorises on her phone, agrees to a split, pays both purses."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from backend.context import Context
from backend.insurance.model import InsuranceOrder, PaymentChoice
from backend.payment.model import MoneyEvent, Payment, Refund
from backend.wiring import handlers
from foundation.db.intents import Intent, due_ids, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient, bill, requested

SPLIT = {"gov": 3500, "self": 800, "other": 0, "cash": 700}
"""Of a visit of 50 yuan, for the employee with 8 yuan in her account that the WeChat mock knows."""
PARTS = {"ins_gov": 3500, "ins_self": 800, "wechat_cash": 700}


@dataclass(frozen=True)
class Insured:
    """She, with a bill of hers. `wechat` is the mock, `api` ours."""

    context: Context
    api: httpx.AsyncClient
    wechat: httpx.AsyncClient
    patient: Patient
    headers: Headers
    bill: UUID

    async def code(self, openid: str = "o-patient") -> str:
        """She agrees on her phone, once."""
        answer = (await self.wechat.post(f"/phone/{openid}/med-ins-auth")).json()
        assert answer["retCode"] == "0", answer
        return str(answer["authCode"])

    async def get(self, path: str = "") -> dict[str, Any]:
        """What is shown of her bill."""
        answer = await self.api.get(f"/payments/{self.bill}{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """Something she does with her bill."""
        return await self.api.post(f"/payments/{self.bill}{path}", headers=self.headers, json=body)

    async def authorises(self, openid: str = "o-patient") -> httpx.Response:
        """Up to the split."""
        return await self.post("/insurance", {"code": await self.code(openid)})

    async def quoted(self) -> dict[str, int]:
        """The split as she is shown it."""
        answer = await self.authorises()
        assert answer.status_code == 200, answer.text
        split = answer.json()["split"]
        return {part: split[part] for part in SPLIT}

    async def agrees(self) -> dict[str, Any]:
        """Authorised and agreed; what the phone needs to pay."""
        answer = await self.post("/insurance/confirm", await self.quoted())
        assert answer.status_code == 200, answer.text
        parameters: dict[str, Any] = answer.json()
        return parameters

    async def types_password(self, parameters: dict[str, Any], openid: str = "o-patient") -> str:
        """What `wx.requestMedicalInsurancePay` said."""
        values = {name: value for name, value in parameters.items() if value}
        return str((await self.wechat.post(f"/phone/{openid}/med-ins-pay", json=values)).json()["result"])

    async def pays(self) -> None:
        """From the authorisation to the password."""
        said = await self.types_password(await self.agrees())
        assert said == "requestMedicalInsurancePay:ok", said

    async def refresh(self) -> dict[str, Any]:
        """Back from the cashier: the backend asks WeChat."""
        answer = await self.post("/refresh")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def tenders(self) -> dict[str, int]:
        """What her bill is to be paid or was paid by."""
        return {one["kind"]: one["amount"] for one in (await self.get())["tenders"]}

    async def payment(self) -> Payment:
        """The row."""
        async with unit_of_work(self.context.db) as session:
            return await session.get_one(Payment, self.bill)

    async def orders(self) -> list[InsuranceOrder]:
        """Attempts, oldest first."""
        async with unit_of_work(self.context.db) as session:
            query = select(InsuranceOrder).where(InsuranceOrder.payment_id == self.bill)
            return list(await session.scalars(query.order_by(InsuranceOrder.id)))

    async def choices(self) -> list[tuple[str, int, int, str]]:
        """Way, insurance, cash, and instead of what."""
        async with unit_of_work(self.context.db) as session:
            query = select(PaymentChoice).where(PaymentChoice.payment_id == self.bill)
            rows = await session.scalars(query.order_by(PaymentChoice.id))
            return [(row.way, row.insurance_amount, row.cash_amount, row.instead_of) for row in rows]

    async def money(self) -> list[tuple[str, str, int]]:
        """What moved, as it was written down."""
        async with unit_of_work(self.context.db) as session:
            query = select(MoneyEvent).where(MoneyEvent.payment_id == self.bill).order_by(MoneyEvent.id)
            return [(row.kind, row.tender, row.amount) for row in await session.scalars(query)]

    async def refunds(self) -> list[Refund]:
        """Oldest first."""
        async with unit_of_work(self.context.db) as session:
            query = select(Refund).where(Refund.payment_id == self.bill).order_by(Refund.id)
            return list(await session.scalars(query))


async def insured(context: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> Insured:
    """With the open bill of a held place."""
    patient, headers = await a_person(context)
    async with unit_of_work(context.db) as session:
        payment = await bill(session, await requested(session, patient))
    return Insured(context, api, wechat, patient, headers, payment.id)


async def runs_due(context: Context) -> None:
    """Everything that is due now, as the worker's sweep would."""
    for intent_id in await due_ids(context.db):
        await run_one(context.db, context, handlers(), intent_id)


async def parked(context: Context) -> list[str]:
    """Work that waits for a person."""
    async with unit_of_work(context.db) as session:
        return list(await session.scalars(select(Intent.kind).where(Intent.parked_at.is_not(None))))
