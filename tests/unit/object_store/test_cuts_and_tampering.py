import asyncio
import struct

import pytest

from foundation.object_store import Damaged, NotThere, ObjectStore
from tests.unit.object_store.conftest import CONTENT, KEY, FileOf, stream, whole


def chunk_bounds(raw: bytes) -> list[tuple[int, int]]:
    """Start and end of every chunk (its header included) of a sealed file."""
    position = 6 + int.from_bytes(raw[4:6], "big")
    bounds = []
    while position < len(raw):
        end = position + 4 + (struct.unpack_from(">I", raw, position)[0] & 0x7FFFFFFF)
        bounds.append((position, end))
        position = end
    return bounds


def test_an_object_being_written_is_readable_up_to_the_last_flush(store: ObjectStore) -> None:
    appender = store.append(KEY)
    appender.write(b"heard")
    appender.flush()
    appender.write(b"unheard")

    assert asyncio.run(whole(store, KEY)) == b"heard"
    assert not asyncio.run(store.info(KEY)).complete
    appender.close()


def test_what_a_dead_writer_left_is_salvaged_and_never_complete(store: ObjectStore, file_of: FileOf) -> None:
    appender = store.append(KEY)
    appender.write(CONTENT)
    appender.flush()
    part = file_of(KEY + ".part")
    part.write_bytes(part.read_bytes()[:-7])  # cut inside the last chunk

    salvaged = asyncio.run(store.salvage(KEY))

    assert not salvaged.complete
    assert asyncio.run(whole(store, KEY)) == CONTENT[: salvaged.size] == CONTENT[:196_608]
    assert not part.exists()
    appender.discard()


def test_zeros_after_a_power_cut_are_cut_off(store: ObjectStore, file_of: FileOf) -> None:
    appender = store.append(KEY)
    appender.write(CONTENT)
    appender.flush()
    part = file_of(KEY + ".part")
    raw = part.read_bytes()
    part.write_bytes(raw[:-5000] + bytes(5000))

    assert asyncio.run(store.salvage(KEY)).size == 196_608
    assert asyncio.run(whole(store, KEY)) == CONTENT[:196_608]
    appender.discard()


def test_there_is_nothing_to_salvage_of_a_finished_object(store: ObjectStore) -> None:
    asyncio.run(store.put(KEY, stream(b"x")))

    with pytest.raises(NotThere):
        asyncio.run(store.salvage(KEY))


def test_abandoned_objects_keep_what_was_taken_and_stay_incomplete(store: ObjectStore) -> None:
    appender = store.append(KEY)
    appender.write(CONTENT)
    info = appender.abandon()

    assert info == asyncio.run(store.info(KEY))
    assert (info.complete, info.size) == (False, len(CONTENT))


def test_a_file_that_lost_its_end_is_not_complete(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    raw = file_of(KEY).read_bytes()
    file_of(KEY).write_bytes(raw[: chunk_bounds(raw)[-1][0]])  # exactly between two chunks

    info = asyncio.run(store.info(KEY))

    assert not info.complete
    assert asyncio.run(whole(store, KEY)) == CONTENT[: info.size]


@pytest.mark.parametrize("place", [0, 5, 8, 100, 70_000, -1])
def test_a_changed_byte_is_noticed(store: ObjectStore, file_of: FileOf, place: int) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    raw = bytearray(file_of(KEY).read_bytes())
    raw[place] ^= 1
    file_of(KEY).write_bytes(bytes(raw))

    with pytest.raises(Damaged):
        asyncio.run(store.info(KEY))


def test_chunks_cannot_change_places(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    raw = file_of(KEY).read_bytes()
    (a, b), (c, d), *_ = chunk_bounds(raw)
    file_of(KEY).write_bytes(raw[:a] + raw[c:d] + raw[a:b] + raw[d:])

    with pytest.raises(Damaged):
        asyncio.run(store.info(KEY))


def test_a_middle_chunk_cannot_be_made_the_last(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    raw = bytearray(file_of(KEY).read_bytes())
    start, end = chunk_bounds(bytes(raw))[1]
    raw[start] |= 0x80
    file_of(KEY).write_bytes(bytes(raw[:end]))

    with pytest.raises(Damaged):
        asyncio.run(store.info(KEY))


def test_bytes_after_the_end_are_noticed(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    file_of(KEY).write_bytes(file_of(KEY).read_bytes() + b"x")

    with pytest.raises(Damaged):
        asyncio.run(store.info(KEY))


def test_an_object_under_another_key_does_not_open(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))
    file_of("recordings/a/2.mkv").write_bytes(file_of(KEY).read_bytes())

    with pytest.raises(Damaged):
        asyncio.run(store.info("recordings/a/2.mkv"))
