"""A row with a machine, for tests of what moves rows: a door that a guard opens and the system locks."""

from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped

from foundation.actor import SYSTEM, Actor
from foundation.db.base import Row
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.db.locks import lock
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from foundation.states import Machine, move

GUARD = Actor("staff", new_id(), frozenset({"guard"}), "守门人")
VISITOR = Actor("account", new_id(), frozenset({"patient"}))


class DoorState(StrEnum):
    SHUT = "shut"
    OPEN = "open"
    LOCKED = "locked"


D = DoorState
DOOR = Machine(
    "door",
    D.SHUT,
    [
        move(D.SHUT, "open", D.OPEN, "guard", event="door.opened"),
        move(D.OPEN, "close", D.SHUT, "guard", "system"),
        move(D.SHUT, "lock", D.LOCKED, "guard", "system"),
        move(D.LOCKED, "unlock", D.SHUT, "guard"),
    ],
    labels={D.SHUT: "关着", D.OPEN: "开着", D.LOCKED: "锁着"},
)


class DoorOpened(msgspec.Struct, frozen=True):
    TYPE: ClassVar[str] = "door.opened"
    VERSION: ClassVar[int] = 1
    number: int


class DoorFell(msgspec.Struct, frozen=True):
    TYPE: ClassVar[str] = "door.fell"
    VERSION: ClassVar[int] = 1


class Separate(DeclarativeBase):
    """Not the backend's metadata: this table exists in tests alone."""


class Door(Row, Separate):
    __tablename__ = "door"
    MACHINE: ClassVar[Machine] = DOOR

    state: Mapped[DoorState] = stored(DataClass.OPERATIONAL, State(DoorState), default=D.SHUT)
    note: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("door.note"), default="")

    @property
    def stream(self) -> str:
        return f"door:{self.id}"


async def with_doors(db: Database) -> None:
    """Make the table."""
    async with db.engine.begin() as connection:
        await connection.run_sync(Separate.metadata.create_all)


async def a_door(db: Database, state: DoorState = D.SHUT) -> UUID:
    """Committed."""
    door_id = new_id()
    async with unit_of_work(db) as session:
        session.add(Door(id=door_id, state=state))
    return door_id


async def door(session: AsyncSession, door_id: UUID) -> Door:
    return await session.get_one(Door, door_id)


async def held(session: AsyncSession, door_id: UUID) -> Door:
    """Locked by this session until it ends."""
    return await lock(session, Door, door_id)  # type: ignore[type-var]


async def state_of(db: Database, door_id: UUID) -> DoorState:
    async with unit_of_work(db) as session:
        found: DoorState = (await door(session, door_id)).state
        return found


async def all_of(db: Database, model: Any, order: Any) -> list[Any]:
    """Every row of a table."""
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(model).order_by(order)))


__all__ = [
    "DOOR", "GUARD", "SYSTEM", "VISITOR", "D", "Door", "DoorFell", "DoorOpened", "a_door", "all_of", "door", "held", "state_of",
    "with_doors",
]  # fmt: skip
