"""MLLP's frame: whatever the network cuts, the same bytes give the same messages, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from front_gateway.dialects.hl7v2.frames import BadFrame, Frames, framed

CONTENT = st.binary(max_size=60).map(lambda raw: bytes(one for one in raw if one not in (0x0B, 0x1C)))


def fed(data: bytes, cuts: list[int]) -> list[bytes]:
    frames, found, at = Frames(1_000), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += frames.feed(data[at:cut])
        at = max(at, cut)
    return found


@given(messages=st.lists(CONTENT, max_size=4), data=st.data())
def test_any_cut_gives_the_same_messages(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(framed(one) for one in messages)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert fed(stream, cuts) == messages


@given(st.binary(max_size=80), st.data())
def test_garbage_is_refused_the_same_however_it_comes(raw: bytes, data: st.DataObject) -> None:
    def outcome(cuts: list[int]) -> list[bytes] | str:
        try:
            return fed(raw, cuts)
        except BadFrame as refused:
            return str(refused)

    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=8))
    whole, cut = outcome([]), outcome(cuts)

    assert isinstance(cut, str) == isinstance(whole, str)
    if not isinstance(whole, str):
        assert cut == whole


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"HTTP/1.1 200 OK", "outside"),
        (b"\x0bMSH|", None),
        (b"\x0bMSH|\x1cX", "without its return"),
        (b"\x0bMSH|\x0bMSH|", "inside another"),
        (b"\x0b" + b"x" * 1_001, "over the limit"),
        (b"\x0b" + b"x" * 1_001 + b"\x1c\r", "over the limit"),
        (b"\r\n\r\n", None),
    ],
)
def test_what_is_no_frame_is_said(stream: bytes, words: str | None) -> None:
    frames = Frames(1_000)
    if words is None:
        assert frames.feed(stream) == []
        return

    with pytest.raises(BadFrame, match=words):
        frames.feed(stream)


def test_a_begun_message_is_known_to_be_begun() -> None:
    frames = Frames(1_000)

    frames.feed(b"\x0bMSH")
    assert frames.begun
    frames.feed(b"|\x1c\r")
    assert not frames.begun
