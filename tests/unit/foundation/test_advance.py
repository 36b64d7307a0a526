import pytest

from foundation.db.advance import Stateful, advance, advance_each, advance_sql
from foundation.db.audit import AuditEvent
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Forbidden, IllegalMove, NotFound
from foundation.ids import new_id
from tests.unit.foundation.doors import (
    GUARD,
    SYSTEM,
    VISITOR,
    D,
    Door,
    DoorFell,
    DoorOpened,
    a_door,
    all_of,
    door,
    state_of,
    with_doors,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def doors(empty_db: Database) -> Database:
    await with_doors(empty_db)
    return empty_db


async def test_state_changes_audit_line_and_event_are_written_together(doors: Database) -> None:
    told: set[str] = set()

    async def announce(streams: set[str]) -> None:
        told.update(streams)

    doors.announce = announce
    door_id = await a_door(doors)

    async with unit_of_work(doors) as session:
        moved = await advance(
            session, await door(session, door_id), "open", GUARD, event=DoorOpened(7), note="给访客"
        )

    assert moved
    async with unit_of_work(doors) as session:
        row = await door(session, door_id)
        assert (row.state, row.note) == (D.OPEN, "给访客")
    (line,) = await all_of(doors, AuditEvent, AuditEvent.ordinal)
    assert (line.action, line.subject_kind, line.subject_id) == ("door.open", "door", str(door_id))
    assert (line.actor_id, line.outcome) == (GUARD.id, "ok")
    (event,) = await all_of(doors, OutboxEvent, OutboxEvent.ordinal)
    assert (event.type, event.stream, event.payload) == ("door.opened", f"door:{door_id}", {"number": 7})
    assert told == {f"door:{door_id}"}


async def test_nothing_of_a_move_stays_when_the_unit_of_work_fails(doors: Database) -> None:
    door_id = await a_door(doors)

    with pytest.raises(RuntimeError, match="power cut"):
        async with unit_of_work(doors) as session:
            await advance(session, await door(session, door_id), "open", GUARD, event=DoorOpened(7))
            raise RuntimeError("power cut")

    assert await state_of(doors, door_id) is D.SHUT
    assert await all_of(doors, AuditEvent, AuditEvent.ordinal) == []
    assert await all_of(doors, OutboxEvent, OutboxEvent.ordinal) == []


async def test_it_is_quiet_when_somebody_was_faster_with_the_same_result(doors: Database) -> None:
    door_id = await a_door(doors)
    async with unit_of_work(doors) as mine:
        seen = await door(mine, door_id)
        async with unit_of_work(doors) as other:
            await advance(other, await door(other, door_id), "open", GUARD, event=DoorOpened(1))

        moved = await advance(mine, seen, "open", GUARD, event=DoorOpened(2))

    assert not moved
    assert len(await all_of(doors, OutboxEvent, OutboxEvent.ordinal)) == 1
    assert len(await all_of(doors, AuditEvent, AuditEvent.ordinal)) == 1


async def test_it_refuses_when_somebody_was_faster_with_another_result(doors: Database) -> None:
    door_id = await a_door(doors)
    async with unit_of_work(doors) as mine:
        seen = await door(mine, door_id)
        async with unit_of_work(doors) as other:
            await advance(other, await door(other, door_id), "lock", GUARD)

        with pytest.raises(IllegalMove, match="当前是“锁着”"):
            await advance(mine, seen, "open", GUARD, event=DoorOpened(2))

    assert await state_of(doors, door_id) is D.LOCKED


async def test_a_role_that_the_line_does_not_name_is_refused(doors: Database) -> None:
    door_id = await a_door(doors)

    with pytest.raises(Forbidden):
        async with unit_of_work(doors) as session:
            await advance(session, await door(session, door_id), "open", VISITOR, event=DoorOpened(1))

    assert await state_of(doors, door_id) is D.SHUT


@pytest.mark.parametrize("event", [None, DoorFell()])
async def test_a_verb_with_an_event_does_not_move_without_that_event(
    doors: Database, event: DoorFell | None
) -> None:
    door_id = await a_door(doors)

    with pytest.raises(RuntimeError, match=r"door\.open publishes door\.opened"):
        async with unit_of_work(doors) as session:
            await advance(session, await door(session, door_id), "open", GUARD, event=event)

    assert await state_of(doors, door_id) is D.SHUT


async def test_a_verb_without_an_event_does_not_move_with_one(doors: Database) -> None:
    door_id = await a_door(doors)

    with pytest.raises(RuntimeError, match=r"door\.lock publishes None"):
        async with unit_of_work(doors) as session:
            await advance(session, await door(session, door_id), "lock", GUARD, event=DoorFell())

    assert await state_of(doors, door_id) is D.SHUT


async def test_a_row_that_is_gone_is_not_found(doors: Database) -> None:
    async with unit_of_work(doors) as session:
        with pytest.raises(NotFound):
            await advance(session, Door(id=new_id(), state=D.SHUT), "lock", GUARD)


async def test_a_door_is_what_advance_moves() -> None:
    assert isinstance(Door(id=new_id()), Stateful)


async def test_several_rows_move_each_with_its_own_changes(doors: Database) -> None:
    shut, other, opened = await a_door(doors), await a_door(doors), await a_door(doors, D.OPEN)
    changes = {shut: {"note": "一"}, other: {"note": "二"}, opened: {"note": "三"}, new_id(): {"note": "四"}}

    async with unit_of_work(doors) as session:
        moved = await advance_each(session, Door, "lock", SYSTEM, changes)

    assert sorted(moved) == sorted([shut, other])
    rows = {row.id: (row.state, row.note) for row in await all_of(doors, Door, Door.id)}
    assert rows == {shut: (D.LOCKED, "一"), other: (D.LOCKED, "二"), opened: (D.OPEN, "")}
    assert [line.action for line in await all_of(doors, AuditEvent, AuditEvent.ordinal)] == ["door.lock"] * 2


async def test_a_set_of_rows_moves_by_one_statement_from_the_same_table(doors: Database) -> None:
    shut, opened = await a_door(doors), await a_door(doors, D.OPEN)

    async with unit_of_work(doors) as session:
        moved = await advance_sql(session, Door, "lock", SYSTEM, Door.id.in_([shut, opened]))

    assert list(moved) == [shut]
    assert (await state_of(doors, shut), await state_of(doors, opened)) == (D.LOCKED, D.OPEN)
    (line,) = await all_of(doors, AuditEvent, AuditEvent.ordinal)
    assert (line.action, line.subject_id) == ("door.lock", str(shut))


async def test_sets_move_neither_for_the_wrong_role_nor_where_an_event_is_due(doors: Database) -> None:
    door_id = await a_door(doors)
    async with unit_of_work(doors) as session:
        with pytest.raises(Forbidden):
            await advance_sql(session, Door, "lock", VISITOR, Door.id == door_id)
        with pytest.raises(Forbidden):
            await advance_each(session, Door, "lock", VISITOR, {door_id: {}})
        with pytest.raises(RuntimeError, match="publishes an event"):
            await advance_sql(session, Door, "open", GUARD, Door.id == door_id)
        with pytest.raises(RuntimeError, match="publishes an event"):
            await advance_each(session, Door, "open", GUARD, {door_id: {}})

    assert await state_of(doors, door_id) is D.SHUT
