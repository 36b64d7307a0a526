"""Two workers copy the same object, and a hold comes while its content is being dropped."""

import asyncio
import io
from pathlib import Path

import pytest

from backend.context import Context
from backend.kept_copy import service
from backend.kept_copy.rules import Kind
from backend.kept_copy.states import KeptState
from backend.kept_copy.tasks import drive
from backend.video import keeping
from foundation.db.guards import without_guard
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.object_store.kept import load_private, open_kept
from tests.database import SharedClock, moves_on
from tests.races.lining_up import both, kinds, wait_for
from tests.small_world import CLERK
from tests.unit.kept_copy.conftest import (
    PRIVATE,
    Inner,
    Visit,
    acknowledged,
    cloud,
    copied,
    inner,
    settings,
    the,
    visit,
)

pytestmark = pytest.mark.anyio
__all__ = ["cloud", "inner", "settings", "visit"]

ROW = "SELECT id FROM kept_copy WHERE id = :row FOR UPDATE"


async def race_of_two_workers(context: Context, visit: Visit) -> list[object]:
    """Both have made a head of their own when the row is let go."""
    await acknowledged(context, visit)
    row = await the(context, Kind.SHEET)
    return await both(
        context.db, drive(Work(context, row.id)), drive(Work(context, row.id)), lock=ROW, row=row.id
    )


async def test_two_workers_who_copy_one_object_make_one_copy(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    results = await race_of_two_workers(cloud, visit)

    assert kinds(results) == ["None", "None"]
    row = await the(cloud, Kind.SHEET)
    assert row.state is KeptState.VERIFIED
    _, reader = open_kept(
        io.BytesIO((inner.folder / row.object_key).read_bytes()), load_private(PRIVATE, b"")
    )
    assert b"".join(reader.chunks()).startswith(b"%PDF-")


async def test_without_one_head_for_both_the_row_and_the_copy_differ(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    """The twin: it must show the damage, or the test above proves nothing."""
    with without_guard("kept_head", allowed=True):
        await race_of_two_workers(cloud, visit)

    row = await the(cloud, Kind.SHEET)
    raw = (inner.folder / row.object_key).read_bytes()
    assert row.state is KeptState.REFUSED or not raw.startswith(row.head)


async def race_of_hold_and_drop(context: Context, visit: Visit, clock: SharedClock) -> tuple[Path, str]:
    """The hold is placed first and not committed yet when the drop begins."""
    await copied(context, visit)
    moves_on(clock, days=31)
    row = await the(context, Kind.RECORDING)

    async def drop() -> None:
        async with unit_of_work(context.db) as session:
            await service.drop(session, context, row.id)

    async with unit_of_work(context.db) as session:
        await keeping.hold(session, CLERK.actor, row.encounter_id, "投诉调查")
        dropping = asyncio.create_task(drop())
        held_up = asyncio.create_task(wait_for(context.db, 1))
        await asyncio.wait({dropping, held_up}, return_when=asyncio.FIRST_COMPLETED)
        held_up.cancel()
    await dropping
    return context.settings.object_folder / row.object_key, (await the(context, Kind.RECORDING)).state


async def test_a_hold_that_is_just_being_placed_keeps_the_file(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    path, state = await race_of_hold_and_drop(cloud, visit, clock)

    assert (path.exists(), state) == (True, KeptState.VERIFIED)


async def test_without_the_lock_the_file_is_dropped_under_the_hold(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    """The twin: it must show the damage, or the test above proves nothing."""
    with without_guard("recording_hold", allowed=True):
        path, state = await race_of_hold_and_drop(cloud, visit, clock)

    assert (path.exists(), state) == (False, KeptState.DROPPED)
