from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account, SessionToken, Staff
from backend.account.rules import FAILURES_ALLOWED, LOCK_TIME, PATIENT_LIFE, STAFF_IDLE, STAFF_LIFE, ended
from backend.account.service import (
    account_of,
    actor_of,
    bind_phone,
    close_session,
    open_patient_session,
    open_staff_session,
)
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import AppError, TooMany, Unauthenticated
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import DOCTOR, TOTP_SECRET, Member
from tests.unit.account.authenticator import code_at

pytestmark = pytest.mark.anyio


async def logs_in(
    db: Database, member: Member = DOCTOR, *, password: str = "", code: str = "", steps: int = 0
) -> str:
    now = db.clock.timestamp()
    token, _ = await open_staff_session(
        db, member.login, password or member.password, code or code_at(TOTP_SECRET, now + 30 * steps)
    )
    return token


async def refusal(db: Database, **wrong: str) -> AppError:
    with pytest.raises(AppError) as refused:
        await logs_in(db, **wrong)  # type: ignore[arg-type]
    return refused.value


async def test_password_and_code_open_a_session(db: Database) -> None:
    actor = await actor_of(db, await logs_in(db))

    assert (actor.kind, actor.id, set(actor.roles), actor.name) == (
        "staff",
        DOCTOR.id,
        {"doctor"},
        DOCTOR.name,
    )


async def test_a_token_is_stored_as_its_hash_alone(db: Database) -> None:
    token = await logs_in(db)

    async with unit_of_work(db) as session:
        (row,) = (await session.scalars(select(SessionToken))).all()
    assert token.encode() not in row.token_hash
    assert len(row.token_hash) == 32


@pytest.mark.parametrize(
    "wrong",
    [{"password": "guess"}, {"code": "000000"}, {"member": Member("X9", "doctor", "无人")}],
    ids=["password", "code", "login"],
)
async def test_a_wrong_login_password_or_code_look_the_same(db: Database, wrong: dict[str, str]) -> None:
    refused = await refusal(db, **wrong)

    assert (type(refused), refused.code, refused.status) == (Unauthenticated, "login_refused", 401)
    assert refused.detail == (await refusal(db, password="other")).detail


async def test_a_code_can_be_used_once(db: Database) -> None:
    code = code_at(TOTP_SECRET, db.clock.timestamp())
    await logs_in(db, code=code)

    assert (await refusal(db, code=code)).code == "login_refused"


async def test_an_older_code_is_worth_nothing_after_a_newer_one(db: Database) -> None:
    older = code_at(TOTP_SECRET, db.clock.timestamp() - 30)
    await logs_in(db)

    assert (await refusal(db, code=older)).code == "login_refused"


@pytest.mark.parametrize("steps", [-1, 1])
async def test_a_telephone_may_be_half_a_minute_off(db: Database, steps: int) -> None:
    await logs_in(db, steps=steps)


@pytest.mark.parametrize("steps", [-3, 3])
async def test_a_telephone_may_not_be_more_than_that_off(db: Database, steps: int) -> None:
    refused = await refusal(db, code=code_at(TOTP_SECRET, db.clock.timestamp() + 30 * steps))

    assert refused.code == "login_refused"


async def test_five_failures_lock_a_login_even_for_the_right_password(db: Database) -> None:
    """等保三级: a login is locked after repeated failures."""
    for _ in range(FAILURES_ALLOWED):
        assert (await refusal(db, password="guess")).code == "login_refused"

    locked = await refusal(db)
    assert (type(locked), locked.code, locked.retry_after) == (TooMany, "login_locked", 900)
    moves_on(db.clock, seconds=LOCK_TIME.total_seconds() + 31)
    await logs_in(db)


async def test_a_login_in_between_forgives_earlier_failures(db: Database) -> None:
    for _ in range(FAILURES_ALLOWED - 1):
        await refusal(db, password="guess")
    await logs_in(db)
    moves_on(db.clock, seconds=31)
    for _ in range(FAILURES_ALLOWED - 1):
        await refusal(db, password="guess")

    moves_on(db.clock, seconds=31)
    await logs_in(db)


async def test_who_no_longer_works_here_cannot_log_in(db: Database) -> None:
    async with unit_of_work(db) as session:
        await session.execute(update(Staff).where(Staff.id == DOCTOR.id).values(active=False))

    assert (await refusal(db)).code == "login_refused"


async def test_who_no_longer_works_here_is_logged_out(db: Database) -> None:
    token = await logs_in(db)
    async with unit_of_work(db) as session:
        await session.execute(update(Staff).where(Staff.id == DOCTOR.id).values(active=False))

    with pytest.raises(Unauthenticated):
        await actor_of(db, token)


async def test_staff_left_alone_for_half_an_hour_are_logged_out(db: Database) -> None:
    token = await logs_in(db)
    moves_on(db.clock, minutes=29)
    await actor_of(db, token)
    moves_on(db.clock, minutes=29)
    await actor_of(db, token)

    moves_on(db.clock, minutes=31)
    with pytest.raises(Unauthenticated) as refused:
        await actor_of(db, token)
    assert refused.value.code == "session_ended"


async def test_a_token_is_worth_nothing_after_logging_out(db: Database) -> None:
    token = await logs_in(db)
    actor = await actor_of(db, token)
    assert actor.session_id is not None
    async with unit_of_work(db) as session:
        await close_session(session, actor.session_id)

    for worthless in (token, "never issued", ""):
        with pytest.raises(Unauthenticated):
            await actor_of(db, worthless)


@pytest.mark.parametrize(
    ("role", "age", "idle", "over"),
    [
        ("patient", PATIENT_LIFE - timedelta(seconds=1), PATIENT_LIFE, False),
        ("patient", PATIENT_LIFE, timedelta(0), True),
        ("doctor", STAFF_LIFE - timedelta(seconds=1), STAFF_IDLE - timedelta(seconds=1), False),
        ("doctor", STAFF_LIFE, timedelta(0), True),
        ("doctor", timedelta(0), STAFF_IDLE, True),
    ],
)
def test_a_session_ends_by_age_and_for_staff_by_idleness(
    role: str, age: timedelta, idle: timedelta, over: bool
) -> None:
    life = PATIENT_LIFE if role == "patient" else STAFF_LIFE
    expires = MORNING + life - age

    assert ended(role, now=MORNING, expires_at=expires, seen_at=MORNING - idle, revoked=False) is over
    assert ended(role, now=MORNING, expires_at=expires, seen_at=MORNING, revoked=True)


async def test_a_wechat_user_is_one_account_however_often_she_comes(session: AsyncSession) -> None:
    first, again = await account_of(session, "wx", "o-1"), await account_of(session, "wx", "o-1")
    elsewhere = await account_of(session, "wy", "o-1")

    assert first.id == again.id != elsewhere.id
    assert await session.scalar(select(func.count()).select_from(Account).where(Account.openid == "o-1")) == 2


async def test_two_accounts_may_share_a_telephone(session: AsyncSession) -> None:
    """practice.md 1: phone numbers may be shared."""
    accounts = [await account_of(session, "wx", openid) for openid in ("o-1", "o-2")]
    for account in accounts:
        await bind_phone(session, account.id, "19900000001")
    await session.flush()

    assert [account.phone for account in accounts] == ["19900000001"] * 2
    assert accounts[0].phone_index == accounts[1].phone_index


async def test_a_patients_session_lasts_thirty_days(session: AsyncSession, clock: SharedClock) -> None:
    account = await account_of(session, "wx", "o-1")
    await open_patient_session(session, account)
    await session.flush()

    row = (await session.scalars(select(SessionToken).where(SessionToken.holder_id == account.id))).one()
    assert row.expires_at - row.made_at == PATIENT_LIFE
    assert (row.role, row.holder_kind) == ("patient", "account")
