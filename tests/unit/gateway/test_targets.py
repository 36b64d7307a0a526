"""Request lines and headers: what is not plain is refused before anybody looks at it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import AppError
from front_gateway.refusals import BadTarget, LengthRequired
from front_gateway.targets import announced_length, plain_path, shown

TRICKS = [
    "", "*", "his/v1/visits", "/his/v1/%76isits", "/his%2fv1/visits", "/his/v1/%2e%2e/visits", "/his/v1/%252e%252e/x",
    "/his/v1/../visits", "/his/./v1/visits", "/his/v1/..", "/.", "/..", "//his/v1/visits", "/his//v1/visits",
    "/his/v1/visits?x=1", "/his/v1/visits#x", "/his/v1/visits;x=1", "/his\\v1\\visits", "/his/v1/visits\x00",
    "/his/v1/visits ", "/his/v1/ｖisits", "http://127.0.0.1/his/v1/visits", "https://x/his/v1/visits", "127.0.0.1:443",
    "/his/v1/visits\t", "/his/v1/a..b", "/his/v1/.hidden", "/" + "a" * 300, "/@his", "/a:b", "/his/v1/visits\r\nX: 1",
]  # fmt: skip


@pytest.mark.parametrize("target", TRICKS)
def test_a_trick_in_the_path_is_refused(target: str) -> None:
    with pytest.raises(BadTarget):
        plain_path(target)


@pytest.mark.parametrize(
    "target", ["/", "/his/v1/visits", "/openapi/api", "/a/b-c_d~e.f/", "/his/v1/visits/"]
)
def test_a_plain_path_is_what_it_says(target: str) -> None:
    assert plain_path(target) == target


@given(st.text(max_size=60))
def test_whatever_is_accepted_means_the_same_to_everybody(text: str) -> None:
    try:
        path = plain_path("/" + text)
    except BadTarget:
        return

    assert path.isascii()
    assert not set(path) & set("%?#;\\: @\r\n\t\x00")
    assert all(part not in (".", "..") for part in path.split("/"))
    assert "//" not in path


@pytest.mark.parametrize(
    "headers",
    [
        (("content-length", "5"), ("content-length", "5")),
        (("content-length", "5"), ("content-length", "6")),
        (("content-length", "+5"),),
        (("content-length", "5, 5"),),
        (("content-length", "٥"),),
        (("content-length", ""),),
        (("content-length", "-1"),),
        (("host", "a"), ("host", "b")),
        (("expect", "100-continue"),),
        (("upgrade", "websocket"),),
        tuple((f"x-{number}", "1") for number in range(60)),
        (("x-long", "a" * 9_000),),
    ],
)
def test_headers_that_contradict_or_overflow_are_refused(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(BadTarget):
        announced_length(headers)


def test_a_body_in_chunks_is_refused() -> None:
    with pytest.raises(LengthRequired):
        announced_length((("transfer-encoding", "chunked"), ("content-length", "5")))


def test_an_enormous_length_is_too_large() -> None:
    with pytest.raises(AppError, match="内容过大"):
        announced_length((("content-length", "9" * 30),))


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/his/v1/310114195809199069", "/his/v1/#"),
        ("/his/v1/visits?name=%E5%91%A8", "/his/v1/visits"),
        ("/his/%E5%91%A8%E6%A1%82", "/his/%%%%%%"),
        ("/his/周桂珍", "/his/???"),
        ("/" + "a" * 500, "/" + "a" * 119),
    ],
)
def test_what_the_audit_keeps_of_a_refused_path_names_nobody(target: str, kept: str) -> None:
    assert shown(target) == kept
