import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.video.playback import PIECE, NotSatisfiable, part

SIZE = 10_000_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None), ("bytes=0-99", (0, 100)), ("bytes=100-100", (100, 1)), ("bytes=-500", (SIZE - 500, 500)),
        ("bytes=0-", (0, PIECE)), ("bytes=9999990-", (9_999_990, 10)), ("bytes=9999990-99999999", (9_999_990, 10)),
        ("bytes=-", None), ("bytes=0-1,5-6", None), ("lines=0-1", None), ("bytes=a-b", None), ("bytes=-99999999", (0, SIZE)),
    ],
)  # fmt: skip
def test_a_part_is_understood_and_what_is_none_is_left_alone(
    header: str, expected: tuple[int, int] | None
) -> None:
    assert part(header, SIZE) == expected


@pytest.mark.parametrize(
    "header", [f"bytes={SIZE}-", "bytes=5-4", "bytes=-0", f"bytes={SIZE + 9}-{SIZE + 99}"]
)
def test_a_part_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        part(header, SIZE)


@given(st.text("0123456789-, ", max_size=12), st.integers(1, SIZE))
def test_no_header_asks_for_what_is_not_there(header: str, size: int) -> None:
    try:
        asked = part(f"bytes={header}", size)
    except NotSatisfiable:
        return
    if asked is not None:
        start, length = asked
        assert 0 <= start < size
        assert 0 < length <= size - start
