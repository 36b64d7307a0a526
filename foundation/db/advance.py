"""The only writers of `.state`: `advance` moves one row, `advance_each` several with changes of their own, `advance_sql` a set,
`begin_each` makes rows that take their first step at once. All go by the machine's table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.db.audit import AuditEvent, audit, line_of
from foundation.db.bulk import insert_all, update_all
from foundation.db.locks import lock
from foundation.db.outbox import Event, publish
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Forbidden, IllegalMove
from foundation.logs import request_id
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
    session: AsyncSession, model: Any, verb: str, actor: Actor, changes: Mapping[UUID, Mapping[str, Any]], *,
    together: bool = False,
) -> list[UUID]:  # fmt: skip
    """Move the rows whose ids are the keys, each with its own changes, by one statement; for verbs that publish nothing.

    Returns the ids that moved: a row whose state no longer allows `verb` is left alone, somebody was faster. `together`: one audit line
    names all of them, else each has its own. All changes name the same columns; rows that the session has loaded are not renewed.
    """
    machine, sources = _for_sets(model, verb, actor)
    rows = [{"id": row_id, **change} for row_id, change in changes.items()]
    # By the id alone: a bare state would invite the planner to read all rows that are in it.
    allowed = ", ".join(f"'{state.value}'" for state in sources)
    moved: list[UUID] = []
    for names in {tuple(row) for row in rows}:
        moved += await update_all(
            session, model, [row for row in rows if tuple(row) == names],
            where=f"row.state || '' IN ({allowed})", also=f"state = '{machine.target(verb).value}'",
        )  # fmt: skip
    await _tell(session, actor, f"{machine.name}.{verb}", machine.name, moved, together=together)
    return moved


async def begin_each(
    session: AsyncSession, model: Any, actor: Actor, rows: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    """Insert rows that take their first step in the transaction that makes them, by verb; those under "" stay where they begin."""
    machine: Machine = model.MACHINE
    made: list[dict[str, Any]] = []
    for verb, several in rows.items():
        if verb:
            _for_sets(model, verb, actor)
        state = machine.find(machine.initial, verb).target if verb else machine.initial
        made += [{**row, "state": state} for row in several]
    await insert_all(session, {model: made})
    for verb, several in rows.items():
        if verb:
            ids = [row["id"] for row in several]
            await _tell(session, actor, f"{machine.name}.{verb}", machine.name, ids, together=True)


def _for_sets(model: Any, verb: str, actor: Actor) -> tuple[Machine, list[Any]]:
    """The machine and the states in which `actor` may do `verb`; a verb that publishes moves its rows one by one."""
    machine: Machine = model.MACHINE
    lines = [line for line in machine.moves if line.verb == verb]
    if any(line.event for line in lines):
        raise RuntimeError(f"{machine.name}.{verb} publishes an event: move its rows one by one")
    sources = [line.source for line in lines if actor.roles.intersection(line.roles)]
    if not sources:
        raise Forbidden
    return machine, sources


async def _tell(
    session: AsyncSession, actor: Actor, action: str, kind: str, ids: Sequence[UUID], *, together: bool
) -> None:
    now, request = clock_of(session).now(), request_id.get()
    if together and len(ids) > 1:
        detail = {"ids": " ".join(row_id.hex for row_id in ids)}
        lines = [line_of(now, actor, action, kind, f"{len(ids)} rows", detail=detail, request=request)]
    else:
        lines = [line_of(now, actor, action, kind, row_id, request=request) for row_id in ids]
    await insert_all(session, {AuditEvent: lines})


async def advance_sql(
    session: AsyncSession, model: Any, verb: str, actor: Actor, where: ColumnElement[bool], **changes: Any
) -> Sequence[UUID]:
    """Move every row that matches `where` and whose state allows `verb`; for verbs that publish nothing.

    Compiled from the same table as `advance`; returns the ids that moved.
    """
    machine, sources = _for_sets(model, verb, actor)
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
