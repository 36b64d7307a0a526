"""Janus' recording files, read while they grow."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.video.janus_engine.mjr import MjrReader, NotARecording

BEGAN = 1_795_350_653_000_422


def header(**more: object) -> bytes:
    text = json.dumps({"t": "a", "c": "opus", "s": BEGAN, "u": BEGAN, **more}).encode()
    return b"MJR00002" + len(text).to_bytes(2, "big") + text


def frame(milliseconds: int, packet: bytes) -> bytes:
    return b"MEET" + struct.pack(">IH", milliseconds, len(packet)) + packet


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=200)), max_size=12),
    st.lists(st.integers(1, 300), max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_packets_come_out_whole_however_the_file_grows(
    tmp_path: Path, frames: list[tuple[int, bytes]], steps: list[int]
) -> None:
    path = tmp_path / "a-audio-0.mjr"
    path.write_bytes(b"")
    content = header() + b"".join(frame(*one) for one in frames)
    reader, found = MjrReader(path), []

    with path.open("ab", buffering=0) as file:
        for step in [*steps, len(content)]:
            piece, content = content[:step], content[step:]
            file.write(piece)
            found += list(reader.packets())

    assert [packet for _, packet in found] == [packet for _, packet in frames]
    assert [round((at - BEGAN / 1e6) * 1000) for at, _ in found] == [ms for ms, _ in frames]
    reader.close()
    assert not path.exists()


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    reader = MjrReader(tmp_path / "later.mjr")

    assert list(reader.packets()) == []
    (tmp_path / "later.mjr").write_bytes(header() + frame(20, b"x" * 30))
    assert [packet for _, packet in reader.packets()] == [b"x" * 30]
    reader.close()


def test_what_was_read_takes_no_memory_any_more(tmp_path: Path) -> None:
    """A call of an hour would not fit into memory, and must not lie in it unencrypted either."""
    path = tmp_path / "long.mjr"
    path.write_bytes(header() + b"".join(frame(n, b"x" * 1000) for n in range(1000)))
    reader = MjrReader(path)

    assert len(list(reader.packets())) == 1000

    assert path.stat().st_size > 1_000_000
    assert path.stat().st_blocks * 512 < 20_000
    reader.close()


@pytest.mark.parametrize(
    "content", [b"OggS" + bytes(50), b"MJR00002\x00\x02{}" + bytes(20), header() + b"MEAT" + bytes(30)]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.mjr").write_bytes(content)
    reader = MjrReader(tmp_path / "odd.mjr")

    with pytest.raises(NotARecording):
        list(reader.packets())
    reader.close()
