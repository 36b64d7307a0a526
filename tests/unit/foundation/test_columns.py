from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account
from foundation.crypto import CannotOpenError
from foundation.db.columns import blind_index
from foundation.ids import new_id
from tests.database import MORNING

pytestmark = pytest.mark.anyio


async def an_account(session: AsyncSession, phone: str) -> Account:
    row = Account(
        id=new_id(), appid="wx", openid=new_id().hex, phone=phone, made_at=MORNING,
        phone_index=blind_index("account.phone", phone),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def test_personal_text_is_stored_encrypted_and_read_as_it_was(session: AsyncSession) -> None:
    row = await an_account(session, "19900000001")
    raw = await session.scalar(text("SELECT phone FROM account WHERE id = :id"), {"id": row.id})

    await session.refresh(row)

    assert row.phone == "19900000001"
    assert b"19900000001" not in raw


async def test_the_blind_index_finds_a_row_and_only_by_the_right_column(session: AsyncSession) -> None:
    row = await an_account(session, "19900000001")
    await an_account(session, "19900000002")

    async def found(field: str) -> list[object]:
        query = select(Account.id).where(Account.phone_index == blind_index(field, "19900000001"))
        return list(await session.scalars(query))

    assert await found("account.phone") == [row.id]
    assert await found("person.phone") == []


async def test_a_value_moved_from_another_column_does_not_open(session: AsyncSession) -> None:
    row = await an_account(session, "19900000001")
    await session.execute(
        text("UPDATE account SET phone = (SELECT totp_secret FROM staff LIMIT 1) WHERE id = :id"),
        {"id": row.id},
    )

    with pytest.raises(CannotOpenError):
        await session.refresh(row)


async def test_a_time_without_a_zone_is_refused(session: AsyncSession) -> None:
    row = await an_account(session, "19900000001")
    naive = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - the mistake that is looked for

    with pytest.raises(StatementError, match="naive datetime"):
        await session.execute(update(Account).where(Account.id == row.id).values(made_at=naive))


async def test_times_come_back_in_utc(session: AsyncSession) -> None:
    row = await an_account(session, "19900000001")
    await session.refresh(row)

    assert (row.made_at, row.made_at.tzinfo) == (MORNING, UTC)
