import pytest
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from backend.video import rtp as packets

MID_ID, TIME_ID = 1, 3


class Parameters:
    class _Extension:
        def __init__(self, uri: str, number: int) -> None:
            self.uri, self.id = uri, number

    headerExtensions = [  # noqa: N815, RUF012 - aiortc's name
        _Extension("urn:ietf:params:rtp-hdrext:sdes:mid", MID_ID),
        _Extension("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", TIME_ID),
    ]


def known_extensions() -> HeaderExtensionsMap:
    known = HeaderExtensionsMap()
    known.configure(Parameters())  # type: ignore[arg-type]
    return known


def made(*, mid: str | None = "0", sent: int | None = 0x123456, padding: int = 0, csrc: int = 0) -> bytes:
    packet = RtpPacket(payload_type=97, marker=1, sequence_number=7, timestamp=9, ssrc=11, payload=b"payload")
    packet.extensions.mid, packet.extensions.abs_send_time = mid, sent
    packet.padding_size = padding
    packet.csrc = list(range(csrc))
    return packet.serialize(known_extensions())


@pytest.mark.parametrize(
    "options", [{}, {"mid": None, "sent": None}, {"padding": 9}, {"csrc": 3}, {"csrc": 2, "padding": 4}]
)
def test_the_payload_is_found_where_the_library_finds_it(options: dict[str, int]) -> None:
    raw = made(**options)  # type: ignore[arg-type]

    start, end = packets.payload_bounds(raw)
    assert raw[start:end] == b"payload" == RtpPacket.parse(raw).payload


def test_an_extension_is_found_by_its_id() -> None:
    raw = made()
    start, _ = packets.payload_bounds(raw)

    assert packets.extension(raw, TIME_ID, start) == b"\x12\x34\x56"
    assert packets.extension(raw, MID_ID, start) == b"0"
    assert packets.extension(raw, 9, start) is None


@pytest.mark.parametrize(
    "raw", [made()[:14], made()[:20], b"\x90" + bytes(11), b"\xa0" + bytes(11) + b"\xff", b"\x8f" + bytes(11)]
)
def test_a_truncated_packet_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="truncated"):
        packets.payload_bounds(raw)


def test_the_block_we_build_is_read_by_the_library() -> None:
    head, tail = packets.extension_block([(MID_ID, b"video1")], (TIME_ID, 3))
    header = packets.HEADER.pack(packets.WITH_EXTENSION, 97, 1, 2, 3)

    parsed = RtpPacket.parse(header + head + b"\x01\x02\x03" + tail + b"payload", known_extensions())
    assert (parsed.extensions.mid, parsed.extensions.abs_send_time, parsed.payload) == (
        "video1",
        0x010203,
        b"payload",
    )


def test_an_id_that_needs_the_long_form_is_left_out() -> None:
    assert packets.extension_block([(15, b"x")], None) == (b"", b"")
