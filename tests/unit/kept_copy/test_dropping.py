import asyncio
import dataclasses

import httpx
import pytest

from backend.account.model import Account
from backend.account.service import open_patient_session
from backend.context import Context
from backend.kept_copy.rules import Kind
from backend.kept_copy.states import KeptState
from backend.kept_copy.tasks import drive, sweep
from backend.record.contents import content_of
from backend.video import keeping
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.object_store import NotThere
from tests.builders.requests import Headers, bearer
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK
from tests.unit.kept_copy.conftest import Inner, Visit, acknowledged, copied, copies, record_of, the

pytestmark = pytest.mark.anyio
DAYS = 30


async def sweeps(context: Context) -> set[KeptState]:
    """One turn; the states then."""
    await sweep(Work(context, context.settings.hospital_id))
    return {row.state for row in await copies(context)}


async def read(context: Context, key: str) -> bytes:
    return b"".join([piece async for piece in context.objects.read(key)])


async def test_content_stays_until_its_days_are_over(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    await copied(cloud, visit)

    moves_on(clock, days=DAYS, minutes=-5)
    assert await sweeps(cloud) == {KeptState.VERIFIED}

    moves_on(clock, minutes=6)
    assert await sweeps(cloud) == {KeptState.DROPPED}


async def test_what_is_dropped_is_gone_here_and_known_by_its_digest(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    rows = await copied(cloud, visit)
    digest = (await record_of(cloud, visit)).digest
    moves_on(clock, days=DAYS + 1)

    await sweeps(cloud)

    for row in rows:
        with pytest.raises(NotThere):
            cloud.objects.sealed(row.object_key)
    record = await record_of(cloud, visit)
    assert (record.content, record.digest) == (None, digest)


async def test_what_was_dropped_is_shown_from_the_hospital(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    rows = await copied(cloud, visit)
    before = {row.object_key: await read(cloud, row.object_key) for row in rows}
    content = (await record_of(cloud, visit)).written
    moves_on(clock, days=DAYS + 1)
    await sweeps(cloud)

    assert {key: await read(cloud, key) for key in before} == before
    assert await content_of(cloud, await record_of(cloud, visit)) == content


async def test_a_thread_that_joins_a_film_reads_a_dropped_recording(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    await copied(cloud, visit)
    key = (await the(cloud, Kind.RECORDING)).object_key
    before = await read(cloud, key)
    moves_on(clock, days=DAYS + 1)
    await sweeps(cloud)

    assert await asyncio.to_thread(lambda: b"".join(cloud.objects.chunks(key))) == before


async def test_the_patient_opens_her_record_and_its_sheet_after_it_was_dropped(
    cloud: Context, visit: Visit, clock: SharedClock, api: httpx.AsyncClient, inner: Inner
) -> None:
    await copied(cloud, visit)
    headers = await signed_in(cloud, visit)
    path = f"/encounters/{visit.encounter_id}/record"
    before = [(await api.get(path + part, headers=headers)).content for part in ("", "/sheet")]
    moves_on(clock, days=DAYS + 1)
    await sweeps(cloud)
    headers = await signed_in(cloud, visit)

    after = [await api.get(path + part, headers=headers) for part in ("", "/sheet")]

    assert [one.status_code for one in after] == [200, 200]
    assert [one.content for one in after] == before
    gets = [one for one in inner.gateway.audit() if one["method"] == "GET" and one["purpose"] == "reading"]
    assert len(gets) == 2


async def test_a_store_that_is_away_is_said_in_words(
    cloud: Context, visit: Visit, clock: SharedClock, api: httpx.AsyncClient
) -> None:
    await copied(cloud, visit)
    moves_on(clock, days=DAYS + 1)
    await sweeps(cloud)
    cloud.hospital_store.urls = ("https://127.0.0.1:1",)
    headers = await signed_in(cloud, visit)

    for part in ("", "/sheet"):
        answer = await api.get(f"/encounters/{visit.encounter_id}/record{part}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "kept_copy_unreachable")
        assert "医院存储暂时无法连接" in answer.json()["detail"]


async def test_a_copy_that_was_changed_at_the_hospital_is_not_shown(
    cloud: Context, visit: Visit, clock: SharedClock, inner: Inner
) -> None:
    await copied(cloud, visit)
    moves_on(clock, days=DAYS + 1)
    await sweeps(cloud)
    path = inner.folder / (await the(cloud, Kind.RECORD)).object_key
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(Unavailable):
        await content_of(cloud, await record_of(cloud, visit))


async def test_nothing_of_a_visit_is_dropped_while_it_is_held(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    await copied(cloud, visit)
    async with unit_of_work(cloud.db) as session:
        await keeping.hold(session, CLERK.actor, visit.recording.encounter_id, "投诉调查")
    moves_on(clock, days=DAYS + 1)
    assert await sweeps(cloud) == {KeptState.VERIFIED}

    async with unit_of_work(cloud.db) as session:
        await keeping.lift(session, CLERK.actor, visit.recording.encounter_id, "调查已结束")
    assert await sweeps(cloud) == {KeptState.DROPPED}


async def test_what_was_never_read_back_is_never_dropped(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    await acknowledged(cloud, visit)
    row = await the(cloud, Kind.SHEET)
    await drive(Work(cloud, row.id))
    moves_on(clock, days=DAYS + 1)

    await sweep(Work(cloud, cloud.settings.hospital_id))

    states = {one.kind: one.state for one in await copies(cloud)}
    assert states == {
        "record": KeptState.REQUESTED, "recording": KeptState.REQUESTED, "sheet": KeptState.DROPPED,
    }  # fmt: skip


async def test_zero_days_mean_that_nothing_is_dropped(
    cloud: Context, visit: Visit, clock: SharedClock
) -> None:
    cloud.settings = dataclasses.replace(cloud.settings, keep_content_days=0)
    await copied(cloud, visit)
    moves_on(clock, days=4_000)

    assert await sweeps(cloud) == {KeptState.VERIFIED}


async def signed_in(context: Context, visit: Visit) -> Headers:
    """The patient, logged in now."""
    async with unit_of_work(context.db) as session:
        account = await session.get_one(Account, visit.patient.account)
        return bearer(await open_patient_session(session, account))
