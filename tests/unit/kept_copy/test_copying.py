import dataclasses

import pytest
from sqlalchemy import select, update

from backend.chat import files
from backend.context import Context
from backend.encounter.model import Encounter
from backend.kept_copy import queries, service
from backend.kept_copy.model import KeptCopy
from backend.kept_copy.rules import CHANGED, DIFFERS, GONE, Kind
from backend.kept_copy.states import KeptState
from backend.kept_copy.tasks import drive, sweep
from foundation.canonical import canonical
from foundation.db.intents import Intent, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid, Unavailable
from tests.small_world import CLERK
from tests.unit.chat.material import png
from tests.unit.kept_copy.conftest import Inner, Visit, acknowledged, copied, copies, record_of, the

pytestmark = pytest.mark.anyio


async def test_what_a_visit_left_is_asked_for_with_the_acknowledgement(cloud: Context, visit: Visit) -> None:
    rows = await acknowledged(cloud, visit)

    assert [(row.kind, row.state) for row in rows] == [
        ("record", "requested"), ("recording", "requested"), ("sheet", "requested"),
    ]  # fmt: skip
    async with unit_of_work(cloud.db) as session:
        jobs = await session.scalars(select(Intent.subject).where(Intent.kind == service.DRIVE))
        assert set(jobs) == {str(row.id) for row in rows}


async def test_nothing_is_asked_for_before_the_hospital_has_acknowledged(
    cloud: Context, visit: Visit
) -> None:
    async with unit_of_work(cloud.db) as session:
        await service.on_acknowledged(session, cloud, visit.appointment_id)  # type: ignore[arg-type]

    assert await copies(cloud) == []


async def test_the_hospital_has_the_copy_and_opens_it_by_its_own_key(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    rows = await copied(cloud, visit)

    assert {row.state for row in rows} == {KeptState.VERIFIED}
    for row in rows:
        kept = inner.opened(row.object_key)
        here = b"".join([piece async for piece in cloud.objects.read(row.object_key)])
        assert kept == here
    record = await record_of(cloud, visit)
    assert inner.opened((await the(cloud, Kind.RECORD)).object_key) == canonical(record.written)


async def test_nothing_readable_crosses_the_border(cloud: Context, inner: Inner, visit: Visit) -> None:
    await copied(cloud, visit)

    said = (await record_of(cloud, visit)).written.chief_complaint.encode()
    assert said
    for path in inner.folder.rglob("*"):
        assert path.is_dir() or said not in path.read_bytes()


async def test_the_sweep_finds_what_came_after_the_acknowledgement(cloud: Context, visit: Visit) -> None:
    await acknowledged(cloud, visit)
    async with unit_of_work(cloud.db) as session:
        for row in await queries.waiting(session, KeptState.REQUESTED, 10):
            await session.delete(row)

    await sweep(Work(cloud, cloud.settings.hospital_id))
    await sweep(Work(cloud, cloud.settings.hospital_id))

    assert [row.kind for row in await copies(cloud)] == ["record", "recording", "sheet"]


async def test_a_job_that_runs_twice_copies_once(cloud: Context, inner: Inner, visit: Visit) -> None:
    [row, *_] = await copied(cloud, visit)

    await drive(Work(cloud, row.id))

    puts = [
        one for one in inner.gateway.audit() if one["method"] == "PUT" and one["object"] == row.object_key
    ]
    assert [one["status"] for one in puts] == [201]


async def test_a_worker_that_died_after_the_copy_goes_on_with_the_same_bytes(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    [row, *_] = await copied(cloud, visit)
    await back_to(cloud, row, "requested")

    await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind(row.kind))).state is KeptState.VERIFIED


async def back_to(context: Context, row: KeptCopy, state: str) -> None:
    """As if the process had died before the next state was written."""
    async with unit_of_work(context.db) as session:
        await session.execute(update(KeptCopy).where(KeptCopy.id == row.id).values(state=state))


async def test_a_file_that_was_changed_here_does_not_become_the_hospitals(
    cloud: Context, visit: Visit
) -> None:
    await acknowledged(cloud, visit)
    row = await the(cloud, Kind.SHEET)
    path = cloud.settings.object_folder / row.object_key
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)

    await drive(Work(cloud, row.id))

    found = await the(cloud, Kind.SHEET)
    assert (found.state, found.refused_code) == (KeptState.REFUSED, CHANGED)


async def test_a_file_that_is_gone_is_for_a_person(cloud: Context, visit: Visit) -> None:
    await acknowledged(cloud, visit)
    row = await the(cloud, Kind.RECORDING)
    await cloud.objects.delete(row.object_key)

    await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind.RECORDING)).refused_code == GONE


async def test_another_file_at_the_hospital_is_never_overwritten(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    await acknowledged(cloud, visit)
    row = await the(cloud, Kind.SHEET)
    taken = inner.folder / row.object_key
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody else's")

    await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind.SHEET)).refused_code == "kept_otherwise"
    assert taken.read_bytes() == b"somebody else's"


async def test_what_cannot_be_read_back_is_not_verified(cloud: Context, inner: Inner, visit: Visit) -> None:
    [row, *_] = await copied(cloud, visit)
    await back_to(cloud, row, "copied")
    path = inner.folder / row.object_key
    path.write_bytes(path.read_bytes()[:-1])

    await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind(row.kind))).refused_code == DIFFERS


async def test_a_refused_copy_is_tried_again_with_a_reason(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    await test_another_file_at_the_hospital_is_never_overwritten(cloud, inner, visit)
    row = await the(cloud, Kind.SHEET)
    (inner.folder / row.object_key).unlink()

    with pytest.raises(Invalid):
        async with unit_of_work(cloud.db) as session:
            await service.retry(session, CLERK.actor, row.id, " ")
    async with unit_of_work(cloud.db) as session:
        await service.retry(session, CLERK.actor, row.id, "信息科已移走重名文件")
    await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind.SHEET)).state is KeptState.VERIFIED


async def test_a_store_that_is_away_is_tried_later(cloud: Context, visit: Visit) -> None:
    [row, *_] = await acknowledged(cloud, visit)
    cloud.hospital_store.urls = ("https://127.0.0.1:1",)

    with pytest.raises(Unavailable):
        await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind(row.kind))).state is KeptState.REQUESTED


async def test_a_line_that_is_shut_is_tried_later_and_is_no_refusal(
    cloud: Context, visit: Visit, inner: Inner
) -> None:
    [row, *_] = await acknowledged(cloud, visit)
    door = inner.gateway.door
    entries = tuple(one for one in door.policy.entries if not one.name.startswith("keep-"))
    door.replace_policy(type(door.policy)(door.policy.callers, entries))

    with pytest.raises(TryLater):
        await drive(Work(cloud, row.id))

    assert (await the(cloud, Kind(row.kind))).state is KeptState.REQUESTED


async def test_without_the_hospitals_key_nothing_is_copied(cloud: Context, visit: Visit) -> None:
    cloud.settings = dataclasses.replace(cloud.settings, kept_public_key=None)

    assert await acknowledged(cloud, visit) == []


async def test_a_picture_of_the_conversation_goes_with_its_small_twin_once_the_visit_is_over(
    cloud: Context, inner: Inner, visit: Visit
) -> None:
    async with unit_of_work(cloud.db) as session:
        row = await session.get_one(Encounter, visit.recording.encounter_id)
        stored = await files.store(cloud.objects, row.id, "image/png", png(1200, 800))
        files.record(session, visit.patient.actor, row, "patient", stored)

    pictures = [one for one in await copied(cloud, visit) if one.kind == Kind.ATTACHMENT]

    assert {one.object_key for one in pictures} == {stored.object_key, stored.small_key} - {""}
    assert {one.state for one in pictures} == {KeptState.VERIFIED}
    assert all(inner.opened(one.object_key) for one in pictures)


async def test_one_of_two_gateways_is_enough(cloud: Context, visit: Visit) -> None:
    cloud.hospital_store.urls = ("https://127.0.0.1:1", *cloud.hospital_store.urls)

    assert {row.state for row in await copied(cloud, visit)} == {KeptState.VERIFIED}
