"""Payload formats: what one RTP payload adds to a frame, and what a first packet of a frame looks like."""

from dataclasses import dataclass
from typing import Protocol

from backend.video.engine import VideoCodec

_START_CODE = b"\x00\x00\x00\x01"
_IDR, _SPS, _PPS, _STAP_A, _FU_A = 5, 7, 8, 24, 28
_FIRST_SLICES = range(1, 6)


@dataclass(frozen=True, slots=True)
class Part:
    """`data` goes to the frame as it is; `starts`: this is a frame's first packet; `key`: it belongs to a keyframe."""

    data: bytes
    starts: bool
    key: bool


class PayloadFormat(Protocol):
    """Reads one payload; `ValueError` when it is not of the format."""

    def part(self, payload: bytes) -> Part:
        """What the payload holds."""


class Vp8:
    """RFC 7741."""

    def part(self, payload: bytes) -> Part:
        """A frame starts where S=1 and PID=0; bit 0 of its first byte is 0 on a keyframe (RFC 6386, 9.1)."""
        first, position = payload[0], 1
        if first & 0x80:
            flags = payload[1]
            position = 2
            if flags & 0x80:
                position += 2 if payload[position] & 0x80 else 1
            if flags & 0x40:
                position += 1
            if flags & 0x30:
                position += 1
        if position >= len(payload):
            raise ValueError("VP8 payload is too short")
        starts = first & 0x10 != 0 and first & 0x07 == 0
        return Part(payload[position:], starts, starts and not payload[position] & 1)


class H264:
    """RFC 6184, packetization-mode 1, as Annex B."""

    def part(self, payload: bytes) -> Part:
        """A frame starts with a parameter set or with the slice of its first macroblock."""
        kind = payload[0] & 0x1F
        if 0 < kind < _STAP_A:
            return Part(_START_CODE + payload, _starts(payload), kind == _IDR)
        if kind == _FU_A:
            return self._fragment(payload)
        if kind == _STAP_A:
            return self._aggregate(payload)
        raise ValueError(f"NAL unit type {kind}")

    def _fragment(self, payload: bytes) -> Part:
        inner = payload[1] & 0x1F
        if not payload[1] & 0x80:
            return Part(payload[2:], False, inner == _IDR)
        unit = bytes([payload[0] & 0xE0 | inner]) + payload[2:]
        return Part(_START_CODE + unit, _starts(unit), inner == _IDR)

    def _aggregate(self, payload: bytes) -> Part:
        units, position = [], 1
        while position + 2 < len(payload):
            size = payload[position] << 8 | payload[position + 1]
            position += 2
            if not size or position + size > len(payload):
                raise ValueError("STAP-A is truncated")
            units.append(payload[position : position + size])
            position += size
        if not units:
            raise ValueError("STAP-A is empty")
        data = b"".join(_START_CODE + unit for unit in units)
        return Part(data, _starts(units[0]), any(unit[0] & 0x1F == _IDR for unit in units))


def _starts(unit: bytes) -> bool:
    """first_mb_in_slice is ue(v): zero when the first bit is set. Anything that is not a slice comes before the slices."""
    kind = unit[0] & 0x1F
    return kind not in _FIRST_SLICES or (len(unit) > 1 and unit[1] & 0x80 != 0)


def payload_format(codec: VideoCodec) -> PayloadFormat:
    """The format of a room's codec."""
    return Vp8() if codec is VideoCodec.VP8 else H264()


def vp8_size(frame: bytes) -> tuple[int, int]:
    """Width and height in a VP8 keyframe's header (RFC 6386, 9.1); `ValueError` when it is none."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        raise ValueError("not a VP8 keyframe")
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


def has_parameter_sets(frame: bytes) -> bool:
    """Whether an Annex B frame brings its own SPS."""
    return any(unit and unit[0] & 0x1F == _SPS for unit in frame.split(_START_CODE))
