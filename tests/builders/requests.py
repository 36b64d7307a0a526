"""Requests to the whole application as somebody who is logged in."""

from backend.account.model import Account, Staff
from backend.account.service import account_of, bind_phone, open_patient_session
from backend.context import Context
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import Patient, a_patient
from tests.small_world import PATIENT, TOTP_SECRET, Member, Resident

Headers = dict[str, str]


def bearer(token: str) -> Headers:
    """The header of a session."""
    return {"authorization": f"Bearer {token}"}


async def patient_session(
    context: Context, openid: str = "o-patient", phone: str = "19900000001"
) -> tuple[Actor, Headers]:
    """An account logged in by WeChat with its phone bound."""
    async with unit_of_work(context.db) as session:
        account = await account_of(session, context.settings.wechat_appid, openid)
        await bind_phone(session, account.id, phone)
        token = await open_patient_session(session, account)
    return Actor("account", account.id, frozenset({"patient"})), bearer(token)


async def a_person(context: Context, resident: Resident = PATIENT) -> tuple[Patient, Headers]:
    """A registered, consenting patient with a session."""
    async with unit_of_work(context.db) as session:
        patient = await a_patient(session, resident)
        account = await session.get_one(Account, patient.account)
        token = await open_patient_session(session, account)
    return patient, bearer(token)


async def staff_session(context: Context, member: Member) -> Headers:
    """A member of staff, logged in by password and code."""
    from backend.account.service import open_staff_session
    from tests.unit.account.authenticator import code_at

    async with unit_of_work(context.db) as session:
        (await session.get_one(Staff, member.id)).totp_last_step = 0
    code = code_at(TOTP_SECRET, context.clock.timestamp())
    token, _ = await open_staff_session(context.db, member.login, member.password, code)
    return bearer(token)
