"""On what authority staff act, and codes for people's mouths and hands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backend.counter.rules import ALPHABET, CODE_LENGTH, Authority, authority_issues, code_of, spaced, typed


@pytest.mark.parametrize(
    ("authority", "phone", "proxy", "expected"),
    [
        (Authority.IN_PERSON, "", "", []),
        (Authority.PHONE, "", "", ["callback_phone"]),
        (Authority.PHONE, "19900000001", "", []),
        (Authority.PHONE, "02159120000", "", []),
        (Authority.PHONE, "12", "", ["callback_phone"]),
        (Authority.WRITTEN, "", " ", ["proxy_name"]),
        (Authority.WRITTEN, "", "何家宁", []),
    ],
)
def test_an_authority_is_complete(authority: Authority, phone: str, proxy: str, expected: list[str]) -> None:
    """N14: with recorded authority; a caller is called back, a paper names who brought it."""
    found = authority_issues(authority, callback_phone=phone, proxy_name=proxy)

    assert [one.field for one in found] == expected


@settings(deadline=None)
@given(some.integers(0, 2**80 - 1))
def test_a_code_can_be_read_aloud_and_typed_again(number: int) -> None:
    code = code_of(number)

    assert len(code) == CODE_LENGTH
    assert set(code) <= set(ALPHABET)
    assert typed(spaced(code).lower()) == code
