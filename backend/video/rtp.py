"""RTP packets as bytes (RFC 3550, RFC 8285): just what forwarding needs, without an object per packet."""

import struct

HEADER = struct.Struct("!BBHLL")
"""Flags and CSRC count; marker and payload type; sequence number; timestamp; SSRC."""

HEADER_SIZE = 12
MARKER = 0x80
PLAIN = 0x80
WITH_EXTENSION = 0x90
_CSRC_COUNT = 0x0F
_EXTENSION = 0x10
_PADDING = 0x20
_ONE_BYTE_PROFILE = 0xBEDE


def payload_bounds(packet: bytes) -> tuple[int, int]:
    """Start and end of the payload, extension and padding left out; `ValueError` when the packet is too short for them."""
    first = packet[0]
    start, end = HEADER_SIZE + 4 * (first & _CSRC_COUNT), len(packet)
    if first & _EXTENSION:
        if end < start + 4:
            raise ValueError("truncated extension")
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    if first & _PADDING:
        end -= packet[-1]
    if start > end:
        raise ValueError("truncated packet")
    return start, end


def extension(packet: bytes, wanted: int, payload_start: int) -> bytes | None:
    """Value of the one-byte header extension `wanted`; None when the packet has none."""
    if not packet[0] & _EXTENSION:
        return None
    position = HEADER_SIZE + 4 * (packet[0] & _CSRC_COUNT)
    if packet[position] << 8 | packet[position + 1] != _ONE_BYTE_PROFILE:
        return None
    position += 4
    while position < payload_start:
        mark = packet[position]
        if mark == 0:
            position += 1
            continue
        size = (mark & 0x0F) + 1
        if mark >> 4 == wanted:
            return packet[position + 1 : position + 1 + size]
        position += 1 + size
    return None


def extension_block(constant: list[tuple[int, bytes]], last: tuple[int, int] | None) -> tuple[bytes, bytes]:
    """A one-byte extension block around one value that changes per packet.

    `constant` are (id, value) pairs; `last` is (id, size) of the changing value. The block is `head + value + tail`; both are
    empty when nothing is to be sent. Ids over 14 need the two-byte form and are left out.
    """
    body = b"".join(
        bytes([number << 4 | len(value) - 1]) + value for number, value in constant if 0 < number < 15
    )
    size = 0
    if last is not None and 0 < last[0] < 15:
        body += bytes([last[0] << 4 | last[1] - 1])
        size = last[1]
    if not body:
        return b"", b""
    padding = -(len(body) + size) % 4
    words = (len(body) + size + padding) // 4
    return struct.pack("!HH", _ONE_BYTE_PROFILE, words) + body, bytes(padding)
