import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.crypto import CannotOpenError, Keyring

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
RING = Keyring({"k1": OLD}, "k1", INDEX)
ROTATED = Keyring({"k1": OLD, "k2": NEW}, "k2", INDEX)


@given(st.binary(max_size=200))
def test_what_was_sealed_opens_in_its_own_column(plain: bytes) -> None:
    assert RING.open(RING.seal(plain, "person.name"), "person.name") == plain


def test_a_value_of_another_column_does_not_open() -> None:
    sealed = RING.seal("林秀兰".encode(), "person.name")

    with pytest.raises(CannotOpenError):
        RING.open(sealed, "person.phone")


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert RING.seal(b"x", "a.b") != RING.seal(b"x", "a.b")


@given(st.integers(0, 40), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    sealed = bytearray(RING.seal(b"a name of somebody", "person.name"))
    sealed[place % len(sealed)] ^= change

    with pytest.raises(CannotOpenError):
        RING.open(bytes(sealed), "person.name")


@pytest.mark.parametrize("sealed", [b"", b"\x02", b"\x02k1", b"\x02k1short", b"\xff" * 8])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CannotOpenError):
        RING.open(sealed, "person.name")


def test_old_values_open_after_the_key_was_changed_and_new_ones_use_the_new_key() -> None:
    old = RING.seal(b"x", "a.b")
    new = ROTATED.seal(b"x", "a.b")

    assert ROTATED.open(old, "a.b") == b"x"
    assert new[1:3] == b"k2"
    with pytest.raises(CannotOpenError, match="no such key"):
        RING.open(new, "a.b")


def test_the_blind_index_tells_equal_from_different_and_one_column_from_another() -> None:
    index = RING.index("310114199001010011", "person.id_number")

    assert index == RING.index("310114199001010011", "person.id_number")
    assert index != RING.index("310114199001010038", "person.id_number")
    assert index != RING.index("310114199001010011", "account.phone")
    assert index == ROTATED.index("310114199001010011", "person.id_number")
    assert index != Keyring({"k1": OLD}, "k1", b"j" * 32).index("310114199001010011", "person.id_number")


@pytest.mark.parametrize(
    ("keys", "current", "index", "words"),
    [
        ({"k1": OLD}, "k2", INDEX, "not among the keys"),
        ({"k1": b"short"}, "k1", INDEX, "not 32 bytes"),
        ({"k1": OLD}, "k1", b"short", "index key is not 32 bytes"),
    ],
)
def test_a_ring_that_cannot_work_is_refused(
    keys: dict[str, bytes], current: str, index: bytes, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Keyring(keys, current, index)
