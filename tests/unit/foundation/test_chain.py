from dataclasses import replace

import pytest

from foundation.canonical import sha256
from foundation.chain import GENESIS, Entry, first_break, link


def a_chain(length: int) -> list[Entry]:
    entries, head = [], GENESIS
    for number in range(1, length + 1):
        digest = sha256(f"entry {number}".encode())
        head = link(head, number, digest)
        entries.append(Entry(number, digest, head))
    return entries


def test_a_whole_chain_has_no_break() -> None:
    assert first_break(a_chain(5)) is None
    assert first_break([]) is None


def test_an_edited_entry_is_found_where_it_stands() -> None:
    entries = a_chain(5)
    entries[2] = replace(entries[2], digest=sha256(b"something else"))

    assert first_break(entries) == 3


def test_an_entry_edited_with_its_own_head_breaks_the_next_one() -> None:
    entries = a_chain(5)
    forged = sha256(b"something else")
    entries[2] = Entry(3, forged, link(entries[1].head, 3, forged))

    assert first_break(entries) == 4


@pytest.mark.parametrize("missing", [0, 2, 3])
def test_a_missing_entry_is_found(missing: int) -> None:
    entries = a_chain(5)
    del entries[missing]

    assert first_break(entries) == missing + 1


def test_exchanged_entries_are_found() -> None:
    entries = a_chain(5)
    entries[1], entries[2] = entries[2], entries[1]

    assert first_break(entries) == 2


def test_a_chain_can_be_checked_from_the_middle() -> None:
    entries = a_chain(6)

    assert first_break(entries[3:], start=entries[2].head, first=4) is None
    assert first_break(entries[3:], start=entries[1].head, first=4) == 4
