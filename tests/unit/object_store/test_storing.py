import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foundation.crypto import Keyring
from foundation.object_store import AlreadyThere, FolderStore, NotThere, ObjectStore
from tests.unit.object_store.conftest import CONTENT, KEY, FileOf, Place, mode_of, stream, whole


def test_what_was_put_is_read_again_with_its_digest(store: ObjectStore) -> None:
    put = asyncio.run(store.put(KEY, stream(CONTENT[:1000], CONTENT[1000:])))

    assert asyncio.run(whole(store, KEY)) == CONTENT
    assert put == asyncio.run(store.info(KEY))
    assert (put.size, put.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert put.complete


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    asyncio.run(store.put(KEY, stream()))

    assert asyncio.run(whole(store, KEY)) == b""
    assert asyncio.run(store.info(KEY)).complete


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 10), (65_530, 20), (100_000, None), (255_999, 5), (300_000, 5), (65_536, 65_536), (7, 0)],
)
def test_any_range_can_be_read(store: ObjectStore, start: int, length: int | None) -> None:
    asyncio.run(store.put(KEY, stream(CONTENT)))

    expected = CONTENT[start:] if length is None else CONTENT[start : start + length]
    assert asyncio.run(whole(store, KEY, start, length)) == expected


def test_nothing_readable_lies_on_the_disk(store: ObjectStore, file_of: FileOf) -> None:
    asyncio.run(store.put(KEY, stream(b"chest pain since Monday" * 9000)))

    assert b"chest pain" not in file_of(KEY).read_bytes()


def test_nobody_else_of_the_machine_may_open_a_file(folder_store: FolderStore, tmp_path: Path) -> None:
    asyncio.run(folder_store.put(KEY, stream(b"x")))

    assert mode_of(tmp_path / "objects" / KEY) & 0o077 == 0


def test_an_object_is_never_overwritten(store: ObjectStore) -> None:
    asyncio.run(store.put(KEY, stream(b"first")))

    with pytest.raises(AlreadyThere):
        asyncio.run(store.put(KEY, stream(b"second")))
    assert asyncio.run(whole(store, KEY)) == b"first"


def test_two_writers_cannot_share_a_key(store: ObjectStore) -> None:
    first = store.append(KEY)

    with pytest.raises(AlreadyThere):
        store.append(KEY)
    first.close()


def test_a_writer_does_not_replace_an_object_that_appeared_meanwhile(
    store: ObjectStore, file_of: FileOf
) -> None:
    late = store.append(KEY)
    late.write(b"late")
    file_of(KEY).write_bytes(b"appeared")

    with pytest.raises(AlreadyThere):
        late.close()
    assert file_of(KEY).read_bytes() == b"appeared"
    late.discard()


def test_a_failing_stream_leaves_nothing_behind(store: ObjectStore) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(store.put(KEY, failing()))
    assert not asyncio.run(store.exists(KEY))


def test_closing_twice_gives_the_same_answer_and_writing_after_it_is_refused(store: ObjectStore) -> None:
    appender = store.append(KEY)
    appender.write(b"all of it")

    assert appender.close() == appender.close() == appender.abandon()
    with pytest.raises(ValueError, match="ended"):
        appender.write(b"more")


def test_a_deleted_object_is_gone(store: ObjectStore) -> None:
    asyncio.run(store.put(KEY, stream(b"x")))
    asyncio.run(store.delete(KEY))

    assert not asyncio.run(store.exists(KEY))
    with pytest.raises(NotThere):
        asyncio.run(store.delete(KEY))
    with pytest.raises(NotThere):
        asyncio.run(whole(store, KEY))


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "A", "a/.b", "a.part.", "a\0b", "x" * 201]
)
def test_a_key_cannot_leave_the_folder(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        store.append(key)


def test_old_objects_open_after_the_key_was_rotated(
    keeper: Place, keyring: Keyring, store: ObjectStore
) -> None:
    asyncio.run(store.put(KEY, stream(b"old")))

    rotated = keeper.open(Keyring(keyring.keys, "k2", keyring.index_key))
    assert asyncio.run(whole(rotated, KEY)) == b"old"
