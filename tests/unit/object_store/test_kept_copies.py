import asyncio
import io
from pathlib import Path

import pytest

from foundation.crypto import Keyring
from foundation.object_store import Damaged, FolderStore
from foundation.object_store.digests import digest_of
from foundation.object_store.kept import (
    NotAKey,
    Recipient,
    kept_head,
    kept_pieces,
    load_private,
    new_pair,
    open_kept,
)
from foundation.object_store.sealed import SealedReader
from tests.unit.object_store.conftest import CONTENT, KEY, stream

PRIVATE, PUBLIC = new_pair(b"")


@pytest.fixture
def copy(folder_store: FolderStore, keyring: Keyring) -> bytes:
    """The hospital's copy of an object."""
    asyncio.run(folder_store.put(KEY, stream(CONTENT)))
    with folder_store.sealed(KEY) as file:
        head = kept_head(file, keyring, KEY, Recipient.load(PUBLIC))
    return b"".join(kept_pieces(folder_store, KEY, head))


def test_the_hospital_opens_its_copy_without_a_key_of_ours(copy: bytes) -> None:
    name, reader = open_kept(io.BytesIO(copy), load_private(PRIVATE, b""))

    assert (name, b"".join(reader.chunks()), reader.complete) == (KEY, CONTENT, True)


def test_we_open_the_copy_too(copy: bytes, keyring: Keyring) -> None:
    reader = SealedReader(io.BytesIO(copy), keyring, KEY)

    assert b"".join(reader.chunks()) == CONTENT


def test_a_copy_is_made_of_a_file_that_was_written_before_there_was_a_second_recipient(
    copy: bytes, folder_store: FolderStore
) -> None:
    with folder_store.sealed(KEY) as file:
        assert file.read(4) == b"IHO1"
    assert copy[:4] == b"IHO2"


def test_another_hospitals_key_does_not_open_it(copy: bytes) -> None:
    private, _ = new_pair(b"")

    with pytest.raises(Damaged, match="another key"):
        open_kept(io.BytesIO(copy), load_private(private, b""))


@pytest.mark.parametrize("place", [0, 4, 10, 60, 150, 250, -1])
def test_a_changed_byte_of_a_copy_is_noticed(copy: bytes, place: int) -> None:
    changed = bytearray(copy)
    changed[place] ^= 1

    with pytest.raises(Damaged):
        _, reader = open_kept(io.BytesIO(changed), load_private(PRIVATE, b""))
        assert b"".join(reader.chunks()) == CONTENT
        SealedReader(io.BytesIO(changed), Keyring({"k1": bytes(32)}, "k1", bytes(32)), KEY)


def test_a_copy_does_not_open_for_us_under_another_key(copy: bytes, keyring: Keyring) -> None:
    with pytest.raises(Damaged):
        SealedReader(io.BytesIO(copy), keyring, "recordings/a/2.mkv")


def test_a_file_that_stayed_in_the_cloud_is_not_the_hospitals(folder_store: FolderStore) -> None:
    asyncio.run(folder_store.put(KEY, stream(CONTENT)))

    with folder_store.sealed(KEY) as file, pytest.raises(Damaged, match="only the cloud"):
        open_kept(file, load_private(PRIVATE, b""))


def test_the_same_head_makes_the_same_copy_and_another_head_another(
    folder_store: FolderStore, keyring: Keyring
) -> None:
    asyncio.run(folder_store.put(KEY, stream(CONTENT)))
    heads = []
    for _ in range(2):
        with folder_store.sealed(KEY) as file:
            heads.append(kept_head(file, keyring, KEY, Recipient.load(PUBLIC)))

    first, again, other = (digest_of(kept_pieces(folder_store, KEY, head)) for head in (heads[0], *heads))
    assert first == again
    assert first[1] != other[1]


def test_a_private_key_wants_its_passphrase(tmp_path: Path) -> None:
    private, _ = new_pair(b"correct horse")

    load_private(private, b"correct horse")
    for wrong in (b"", b"battery"):
        with pytest.raises(NotAKey):
            load_private(private, wrong)


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PUBLIC KEY-----", PRIVATE])
def test_what_is_no_public_key_is_no_recipient(pem: bytes) -> None:
    with pytest.raises(NotAKey):
        Recipient.load(pem)
