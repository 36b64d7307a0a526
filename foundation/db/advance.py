"""The only writers of `.state`: `advance` moves one row, `advance_each` several with changes of their own, `advance_sql` a set.

All three go by the machine's table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock, lock_all
from foundation.db.outbox import Event, publish
from foundation.db.unit_of_work import touch
from foundation.errors import Forbidden, IllegalMove
from foundation.states import Machine


@runtime_checkable
class Stateful(Protocol):
    """A row that a machine moves; `stream` is where its events go."""

    MACHINE: ClassVar[Machine]
    id: Any
    state: Any

    @property
    def stream(self) -> str:
        """Stream of the aggregate the row belongs to."""


R = TypeVar("R", bound=Any)


async def advance(
    session: AsyncSession, row: R, verb: str, actor: Actor, *, event: Event | None = None, **changes: Any
) -> bool:
    """Move `row` by `verb`, setting `changes` with it; audit line and event in the same transaction.

    The row is locked and read again first. Returns False when somebody was faster and the result is the same;
    raises `IllegalMove` when the table refuses, `Forbidden` when the actor's roles may not.
    """
    machine: Machine = row.MACHINE
    row = await lock(session, type(row), row.id)
    try:
        line = machine.find(row.state, verb)
    except IllegalMove:
        if machine.already(row.state, verb):
            return False
        raise
    if not actor.roles.intersection(line.roles):
        raise Forbidden
    if (event.TYPE if event else None) != line.event:
        raise RuntimeError(f"{machine.name}.{verb} publishes {line.event}, got {event and event.TYPE}")
    row.state = line.target
    for name, value in changes.items():
        setattr(row, name, value)
    audit(session, actor, f"{machine.name}.{verb}", machine.name, row.id)
    touch(session, row.stream)
    if event is not None:
        await publish(session, row.stream, event)
    await session.flush()
    return True


async def advance_each(
    session: AsyncSession, model: Any, verb: str, actor: Actor, changes: Mapping[UUID, Mapping[str, Any]]
) -> list[UUID]:
    """Move the rows whose ids are the keys, each with its own changes, by one lock and one flush; for verbs that publish nothing.

    Returns the ids that moved: a row whose state no longer allows `verb` is left alone, somebody was faster.
    """
    machine: Machine = model.MACHINE
    lines = {line.source: line for line in machine.moves if line.verb == verb}
    if any(line.event for line in lines.values()):
        raise RuntimeError(f"{machine.name}.{verb} publishes an event: move its rows one by one")
    moved: list[UUID] = []
    for row in await lock_all(session, model, changes):
        line = lines.get(row.state)
        if line is None:
            continue
        if not actor.roles.intersection(line.roles):
            raise Forbidden
        row.state = line.target
        for name, value in changes[row.id].items():
            setattr(row, name, value)
        audit(session, actor, f"{machine.name}.{verb}", machine.name, row.id)
        moved.append(row.id)
    await session.flush()
    return moved


async def advance_sql(
    session: AsyncSession, model: Any, verb: str, actor: Actor, where: ColumnElement[bool], **changes: Any
) -> Sequence[UUID]:
    """Move every row that matches `where` and whose state allows `verb`; for verbs that publish nothing.

    Compiled from the same table as `advance`; returns the ids that moved.
    """
    machine: Machine = model.MACHINE
    lines = [line for line in machine.moves if line.verb == verb]
    if any(line.event for line in lines):
        raise RuntimeError(f"{machine.name}.{verb} publishes an event: move its rows one by one")
    sources = [line.source for line in lines if actor.roles.intersection(line.roles)]
    if not sources:
        raise Forbidden
    statement = (
        update(model)
        .where(model.state.in_(sources), where)
        .values(state=machine.target(verb), **changes)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    moved = (await session.scalars(statement)).all()
    for row_id in moved:
        audit(session, actor, f"{machine.name}.{verb}", machine.name, row_id)
    return moved
