"""Which media process keeps which room, over a real Valkey."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from backend.video import nodes
from foundation.errors import Unavailable
from standalone.stores import StoreUrls

pytestmark = pytest.mark.anyio
A, B, C = "http://a.example", "http://b.example", "http://c.example"
NODES = (A, B, C)


@pytest.fixture
async def valkey(stores: StoreUrls, anyio_backend: str) -> AsyncIterator[Redis]:
    redis: Redis = Redis.from_url(stores.redis)
    for address in NODES:
        await nodes.withdraw(redis, address)
    yield redis
    await redis.aclose()


async def live(redis: Redis, *addresses: str, rooms: int = 0, capacity: int = 25) -> None:
    for address in addresses:
        await nodes.heartbeat(redis, address, [f"other-{number}" for number in range(rooms)], capacity)


def room_of(address: str, among: tuple[str, ...] = NODES) -> UUID:
    return next(room for room in iter(uuid4, None) if nodes.rendezvous(str(room), among) == address)


@given(st.lists(st.uuids(), min_size=1, max_size=40), st.sampled_from(NODES))
async def test_only_the_rooms_of_a_node_that_goes_have_to_move(rooms: list[UUID], gone: str) -> None:
    rest = [address for address in NODES if address != gone]

    for room in rooms:
        before, after = nodes.rendezvous(str(room), NODES), nodes.rendezvous(str(room), rest)
        assert after != gone
        assert before in (after, gone)


async def test_rooms_spread_over_the_nodes() -> None:
    found = [nodes.rendezvous(str(uuid4()), NODES) for _ in range(600)]

    assert min(found.count(address) for address in NODES) > 130


async def test_both_sides_are_sent_to_the_same_node(valkey: Redis) -> None:
    await live(valkey, *NODES)
    room = uuid4()

    assert {await nodes.address_of(valkey, room, order) for order in (NODES, NODES[::-1])} == {
        nodes.rendezvous(str(room), NODES)
    }


async def test_a_room_stays_where_it_is_when_nodes_are_added(valkey: Redis) -> None:
    await live(valkey, A, B)
    room = room_of(C)
    first = await nodes.address_of(valkey, room, NODES)

    await live(valkey, C)

    assert await nodes.address_of(valkey, room, NODES) == first != C


async def test_a_room_of_a_dead_or_draining_node_moves_for_both(valkey: Redis) -> None:
    await live(valkey, *NODES)
    room = room_of(A)
    assert await nodes.address_of(valkey, room, NODES) == A

    await nodes.withdraw(valkey, A)
    moved = await nodes.address_of(valkey, room, NODES)
    await live(valkey, A)

    assert moved in (B, C)
    assert await nodes.address_of(valkey, room, NODES) == moved


async def test_a_node_that_was_only_slow_hears_that_its_room_has_moved(valkey: Redis) -> None:
    await live(valkey, A, B)
    room = room_of(A, (A, B))
    await nodes.address_of(valkey, room, (A, B))
    await nodes.withdraw(valkey, A)  # as if its heartbeat had come too late
    await nodes.address_of(valkey, room, (A, B))

    assert await nodes.heartbeat(valkey, A, [str(room), "mine"], 25) == [str(room)]


async def test_an_emptied_valkey_knows_the_rooms_again_after_one_heartbeat(valkey: Redis) -> None:
    await live(valkey, A, B)
    room = room_of(B, (A, B))
    await valkey.flushdb()

    await live(valkey, B)
    await nodes.heartbeat(valkey, A, [str(room)], 25)

    assert await nodes.address_of(valkey, room, (A, B)) == A


async def test_a_full_node_gets_no_new_room_but_keeps_its_own(valkey: Redis) -> None:
    await live(valkey, A, B)
    own, new = room_of(A, (A, B)), room_of(A, (A, B))
    await nodes.address_of(valkey, own, (A, B))

    await live(valkey, A, rooms=2, capacity=2)

    assert await nodes.address_of(valkey, own, (A, B)) == A
    assert await nodes.address_of(valkey, new, (A, B)) == B


async def test_without_a_live_node_there_is_no_video(valkey: Redis) -> None:
    with pytest.raises(Unavailable) as refused:
        await nodes.address_of(valkey, uuid4(), NODES)

    assert refused.value.code == "no_media_node"


async def test_a_node_that_nobody_configured_is_not_used(valkey: Redis) -> None:
    await live(valkey, C, A)

    assert await nodes.address_of(valkey, room_of(C), (A, B)) == A
