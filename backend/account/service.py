"""Logging in and out, and who a token belongs to."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import Uuid, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import rules
from backend.account.model import Account, SessionToken, Staff
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.columns import blind_index
from foundation.db.locks import lock
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database, clock_of, looking, unit_of_work
from foundation.errors import TooMany, Unauthenticated
from foundation.ids import new_id

TOTP_SECONDS = 30
_SESSIONS = """
SELECT id, token_hash, holder_kind, holder_id, role, display_name, seen_at, expires_at, revoked_at,
    (SELECT active FROM staff WHERE staff.id = holder_id) AS works_here
FROM session_token WHERE token_hash = ANY($1::bytea[])
"""
_TOUCH = (
    update(SessionToken)
    .where(
        SessionToken.id.in_(
            select(SessionToken.id)
            .where(SessionToken.id == any_(bindparam("stale", type_=ARRAY(Uuid))))
            .with_for_update(skip_locked=True)  # somebody else is just writing the same
        )
    )
    .values(seen_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DECOY = _hasher.hash(secrets.token_hex(16))


async def account_of(session: AsyncSession, appid: str, openid: str) -> Account:
    """The account of a WeChat user, made on the first visit."""
    statement = insert(Account).values(
        id=new_id(), hospital_id=hospital_id(), appid=appid, openid=openid, made_at=clock_of(session).now()
    )
    await session.execute(statement.on_conflict_do_nothing())
    query = select(Account).where(Account.appid == appid, Account.openid == openid)
    return (await session.scalars(query)).one()


async def bind_phone(session: AsyncSession, account_id: UUID, phone: str) -> Account:
    """Bind the number WeChat told us; two accounts may share a phone (practice.md 1)."""
    account = await lock(session, Account, account_id)
    account.phone = phone
    account.phone_index = blind_index("account.phone", phone)
    return account


async def open_patient_session(session: AsyncSession, account: Account) -> str:
    """A token for a patient's account."""
    return _issue(session, "account", account.id, "patient", "")


async def open_staff_session(db: Database, login: str, password: str, code: str) -> tuple[str, Staff]:
    """Password and TOTP; counts failures even though the request is refused, and locks after five.

    The reason of a refusal is not told apart: wrong login, password and code look the same.
    """
    async with unit_of_work(db) as session:
        found = await session.scalar(select(Staff.password_hash).where(Staff.login == login, Staff.active))
    fits = await asyncio.to_thread(_password_fits, found or _DECOY, password)
    async with unit_of_work(db) as session:
        staff = await session.scalar(select(Staff).where(Staff.login == login).with_for_update())
        if staff is None or not staff.active:
            refused: Unauthenticated | TooMany | None = _login_refused()
        else:
            refused = _second_factor(session, staff, code, fits=fits)
        if staff is not None and refused is None:
            token = _issue(session, "staff", staff.id, staff.role, staff.display_name)
            audit(
                session,
                Actor(staff.role, staff.id, frozenset({staff.role})),
                "account.login",
                "staff",
                staff.id,
            )
    if refused is not None or staff is None:
        raise refused or _login_refused()
    return token, staff


def _second_factor(
    session: AsyncSession, staff: Staff, code: str, *, fits: bool
) -> Unauthenticated | TooMany | None:
    now = clock_of(session).now()
    if staff.locked_until and now < staff.locked_until:
        return TooMany("登录失败次数过多，请 15 分钟后再试", code="login_locked", retry_after=900)
    step = int(now.timestamp()) // TOTP_SECONDS
    totp = pyotp.TOTP(staff.totp_secret)
    fitting = [at for at in (step, step - 1, step + 1) if totp.at(at * TOTP_SECONDS) == code]
    if fits and fitting and fitting[0] > staff.totp_last_step:
        staff.totp_last_step, staff.failures, staff.locked_until = fitting[0], 0, None
        return None
    staff.failures += 1
    if staff.failures >= rules.FAILURES_ALLOWED:
        staff.failures, staff.locked_until = 0, now + rules.LOCK_TIME
    return _login_refused()


def _login_refused() -> Unauthenticated:
    return Unauthenticated("用户名、密码或动态码不正确", code="login_refused")


def _password_fits(stored_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(stored_hash, password)
    except Argon2Error:
        return False


def hash_password(password: str) -> str:
    """Argon2id hash for a new password."""
    return _hasher.hash(password)


def _issue(session: AsyncSession, kind: str, holder: UUID, role: str, name: str) -> str:
    token = secrets.token_urlsafe(32)
    now = clock_of(session).now()
    life = rules.PATIENT_LIFE if role == "patient" else rules.STAFF_LIFE
    session.add(
        SessionToken(
            token_hash=_digest(token), holder_kind=kind, holder_id=holder, role=role, display_name=name,
            made_at=now, seen_at=now, expires_at=now + life,
        )
    )  # fmt: skip
    return token


async def actor_of(db: Database, token: str) -> Actor:
    """The actor behind a token; `Unauthenticated` when the session is over.

    Read anew for each request, so that a revoked session ends at once; requests that come at the same time share the look.
    """
    return await shared(db, _actors_of).ask(_digest(token))


async def _actors_of(db: Database, digests: Sequence[bytes]) -> Sequence[Actor | Exception]:
    now = db.clock.now()
    async with looking(db) as connection:
        rows = await connection.fetch(_SESSIONS, list(set(digests)))
    lasting = {row["token_hash"]: row for row in rows if not _over(row, now)}
    stale = [row["id"] for row in lasting.values() if now - row["seen_at"] > rules.TOUCH_EVERY]
    if stale:
        async with unit_of_work(db) as session:
            await session.execute(_TOUCH, {"stale": stale, "at": now})
    return [_actor(lasting.get(digest)) for digest in digests]


def _over(row: Any, now: datetime) -> bool:
    ended = rules.ended(
        row["role"], now=now, expires_at=row["expires_at"], seen_at=row["seen_at"], revoked=row["revoked_at"] is not None
    )  # fmt: skip
    return ended or (row["holder_kind"] == "staff" and not row["works_here"])


def _actor(row: Any) -> Actor | Exception:
    if row is None:
        return Unauthenticated("登录已失效，请重新登录", code="session_ended")
    return Actor(
        row["holder_kind"], row["holder_id"], frozenset({row["role"]}), row["display_name"], row["id"]
    )


async def close_session(session: AsyncSession, session_id: UUID) -> None:
    """Log out; the token is worth nothing from here on."""
    statement = update(SessionToken).where(SessionToken.id == session_id)
    await session.execute(statement.values(revoked_at=clock_of(session).now()))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
