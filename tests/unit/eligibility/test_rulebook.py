"""The rule as data: every mistake at once, versions kept for ever, the file's hash in what was decided."""

import hashlib
from datetime import date
from importlib.resources import files

import pytest

from backend.eligibility.rulebook import book_of, book_on, books, in_order, read_book
from backend.eligibility.rulefile import RuleError
from backend.eligibility.rules import RULES


def shipped(version: str) -> str:
    return (files("backend.eligibility") / "data" / f"{version}.toml").read_text(encoding="utf-8")


def mistakes(text: str) -> set[str]:
    with pytest.raises(RuleError) as refused:
        read_book(text)
    return {one.where for one in refused.value.mistakes}


def test_all_mistakes_of_a_file_are_named_together() -> None:
    text = shipped("2026-2")
    for right, wrong in (
        ('version = "2026-2"', 'version = "second"'),
        ("months = 1", "months = 0"),
        ('ranks = "any"', 'ranks = "some"'),
        ('unresolved = "doctor"\n', ""),
        ("same_department = false", 'same_department = "perhaps"\nsurprise = 1'),
        ("most = 6", "most = -1"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)

    assert mistakes(text) == {
        "version", "window.months", "visits.ranks", "match.unresolved", "visits.same_department", "visits.surprise",
        "papers.most",
    }  # fmt: skip


def test_what_fits_its_type_may_be_wrong_all_the_same() -> None:
    text = shipped("2026-2")
    for right, wrong in (
        ("months = 1\n", "months = 1\ndays = 30\n"),
        ('categories = ["J44"]', 'categories = ["J44", "J45", "O80", "U07", "J4"]'),
        ('codes = ["K29.0", "R10.0"]', 'codes = ["K29.0", "R", "胃炎"]'),
        ('apart = [["E10", "E11"]]', 'apart = [["E10", "I10"]]'),
        ('names = ["糖尿病"]', 'names = ["糖尿病", "II型糖尿病"]'),
        ('new = "K64"', 'new = "I48"'),
        ('from = "N70"', 'from = "N99"'),
        ("signed_off_on = 2026-10-28", "signed_off_on = 2026-12-01"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)

    found = mistakes(text)

    assert {"window", "sensitive[1]", "signed_off_on", "code_map[1].new", "group[2].apart"} <= found
    assert {
        "chronic[3].categories",
        "chronic[4].categories",
        "red_flag[4].codes",
        "synonym[4].names",
    } <= found


def test_what_is_no_toml_says_so() -> None:
    assert mistakes("version = ") == {"toml"}


def test_a_version_is_known_by_its_hash() -> None:
    assert RULES.sha256 == hashlib.sha256(shipped(RULES.version).encode()).hexdigest()
    assert read_book(shipped("2026-2") + "\n").sha256 != RULES.sha256


def test_the_version_of_a_day_is_the_newest_that_was_in_force() -> None:
    assert [book.version for book in books()] == ["2026-1", "2026-2"]
    assert book_on(date(2026, 10, 31)).version == "2026-1"
    assert book_on(date(2026, 11, 1)).version == "2026-2"
    assert book_on(date(2020, 1, 1)).version == "2026-1"
    old = book_of("2026-1")
    assert old is not None
    assert not old.groups
    assert book_of("1999-1") is None


def test_two_versions_cannot_share_a_name_or_a_day() -> None:
    with pytest.raises(RuleError) as refused:
        in_order([RULES, RULES])

    assert {one.where for one in refused.value.mistakes} == {"version", "in_force_from"}
    with pytest.raises(RuleError):
        in_order([])
