import asyncio
import itertools

import pytest
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unpack_remb_fci,
    unwrap_rtx,
)

from tests.unit.video.loopback import MEDIA, RTX, arrive, arrive_again, downlink, uplink
from tests.unit.video.peers import until

pytestmark = pytest.mark.anyio


def steps(packets: list[RtpPacket]) -> list[int]:
    """Differences of sequence numbers, signed."""
    numbers = [packet.sequence_number for packet in packets]
    return [(b - a + 0x8000) % 0x10000 - 0x8000 for a, b in itertools.pairwise(numbers)]


def requests(rtcp: list[AnyRtcpPacket]) -> list[RtcpPsfbPacket]:
    return [packet for packet in rtcp if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI]


def nacks(rtcp: list[AnyRtcpPacket]) -> list[list[int]]:
    return [packet.lost for packet in rtcp if isinstance(packet, RtcpRtpfbPacket)]


async def test_a_packet_goes_on_in_the_viewers_own_numbers() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)

    arrive(source, 65_534, 4_294_967_000, b"a", marker=0x80, now=10.0)
    arrive(source, 65_535, 4_294_970_000, b"b", now=10.03)
    arrive(source, 65_536, 4_294_973_000, b"c", now=10.06)

    assert [packet.payload for packet in out] == [b"a", b"b", b"c"]
    assert steps(out) == [1, 1]
    assert [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(out)] == [3000, 3000]
    assert {packet.ssrc for packet in out} == {sender._ssrc}
    assert (out[0].payload_type, out[0].marker, out[1].marker) == (MEDIA, 1, 0)
    assert (out[0].extensions.mid, out[0].extensions.abs_send_time) == ("v1", 10 * 262144)


async def test_holes_and_disorder_are_passed_on_as_they_are() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)

    for sequence in (100, 101, 104, 103, 105):
        arrive(source, sequence, sequence * 3000)

    assert steps(out) == [1, 3, -1, 2]


async def test_a_new_source_continues_the_stream_and_is_asked_for_a_keyframe() -> None:
    out: list[RtpPacket] = []
    asked: list[AnyRtcpPacket] = []
    first, second, sender = await uplink([]), await uplink(asked), await downlink(out)
    sender.follow(first)
    arrive(first, 7, 1_000_000, now=1.0)
    arrive(first, 8, 1_003_000, now=1.03)

    sender.follow(second)
    arrive(first, 9, 1_006_000, now=1.1)  # the old one no longer counts
    arrive(second, 60_000, 77, ssrc=5, now=3.03)
    arrive(second, 60_001, 3077, ssrc=5, now=3.06)

    assert steps(out) == [1, 1, 1]
    assert (out[2].timestamp - out[1].timestamp) % 2**32 == 2 * 90000
    assert (out[3].timestamp - out[2].timestamp) % 2**32 == 3000
    await until(lambda: bool(requests(asked)))


async def test_a_publisher_that_changes_its_ssrc_is_one_unbroken_stream_to_the_viewer() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)

    arrive(source, 7, 1000, ssrc=1, now=1.0)
    arrive(source, 40_000, 5, ssrc=2, now=1.5)

    assert steps(out) == [1]
    assert (out[1].timestamp - out[0].timestamp) % 2**32 == 45_000


async def test_packets_from_before_the_switch_are_dropped() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)

    arrive(source, 100, 1000)
    arrive(source, 99, 900)

    assert len(out) == 1


async def test_a_viewer_gets_again_what_it_lost() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)
    for number in range(20):
        arrive(source, number, number * 3000, bytes([number]), marker=0x80)
    lost = out[4]

    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc)
    nack.lost = [lost.sequence_number, (lost.sequence_number + 5000) % 65536]
    await sender._handle_rtcp_packet(nack)

    again = out[20:]
    assert [packet.payload_type for packet in again] == [RTX]
    repaired = unwrap_rtx(again[0], MEDIA, sender._ssrc)
    assert (repaired.sequence_number, repaired.payload, repaired.timestamp, repaired.marker) == (
        lost.sequence_number, lost.payload, lost.timestamp, 1,
    )  # fmt: skip
    assert again[0].ssrc != sender._ssrc


async def test_what_we_lost_is_asked_for_until_it_comes_and_then_forwarded() -> None:
    out: list[RtpPacket] = []
    rtcp: list[AnyRtcpPacket] = []
    source, sender = await uplink(rtcp), await downlink(out)
    sender.follow(source)

    for sequence in (65_534, 65_535, 65_538):
        arrive(source, sequence, 1000)
    assert nacks(rtcp) == [[0, 1]]
    arrive_again(source, 65_536, 1000, b"repaired")
    await until(lambda: len(nacks(rtcp)) > 1)

    assert nacks(rtcp)[1] == [1]
    assert (steps(out)[-2:], out[-1].payload) == ([3, -2], b"repaired")
    await source.stop()


async def test_retransmissions_do_not_count_as_received() -> None:
    source = await uplink([])
    for sequence in (1, 2, 5):
        arrive(source, sequence, 0)
    arrive_again(source, 3, 0)

    report = source.report(1.0)
    assert report is not None
    assert (report.packets_lost, report.highest_sequence, report.fraction_lost) == (2, 5, (2 << 8) // 5)
    await source.stop()


async def test_keyframes_are_asked_for_at_most_every_300_ms() -> None:
    rtcp: list[AnyRtcpPacket] = []
    source = await uplink(rtcp)
    arrive(source, 1, 0)

    for _ in range(20):
        source.request_keyframe()
    await asyncio.sleep(0)
    assert len(requests(rtcp)) == 1
    await until(lambda: len(requests(rtcp)) == 2, 1)
    await asyncio.sleep(0.35)
    assert len(requests(rtcp)) == 2


async def test_a_viewers_wish_for_a_keyframe_reaches_the_publisher() -> None:
    rtcp: list[AnyRtcpPacket] = []
    source, sender = await uplink(rtcp), await downlink([])
    sender.follow(source)
    arrive(source, 1, 0)
    await until(lambda: len(requests(rtcp)) == 1)

    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc))
    await until(lambda: len(requests(rtcp)) == 2, 1)


def allowed(rtcp: list[AnyRtcpPacket]) -> list[int]:
    return [
        unpack_remb_fci(packet.fci)[0]
        for packet in rtcp
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP
    ]


@pytest.mark.parametrize(("limits", "expected"), [(True, [1_000_000, 300_000]), (False, [])])
async def test_the_slowest_participant_limits_the_publisher_and_a_supervisor_does_not(
    limits: bool, expected: list[int]
) -> None:
    rtcp: list[AnyRtcpPacket] = []
    source, sender = await uplink(rtcp, ceiling=1_000_000), await downlink([], limits_source=limits)
    sender.follow(source)
    arrive(source, 1, 0)

    for bitrate in (5_000_000, 300_000):
        remb = RtcpPsfbPacket(
            fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=pack_remb_fci(bitrate, [sender._ssrc])
        )
        await sender._handle_rtcp_packet(remb)

    assert allowed(rtcp) == expected


async def test_reports_speak_in_the_publishers_clock() -> None:
    """Lip sync: NTP and RTP time of audio and video refer to the same clock, the publisher's."""
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)
    now = asyncio.get_running_loop().time()
    arrive(source, 1, 900_000, now=now)
    ntp = 77 << 32
    info = RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=909_000, packet_count=1, octet_count=1)
    await source._handle_rtcp_packet(RtcpSrPacket(ssrc=1, sender_info=info))
    seen = source._stream.sender_seen if source._stream else 0.0

    report, _ = RtcpPacket.parse(sender.reports(seen + 1.0))
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.ntp_timestamp == ntp + (1 << 32)
    assert (report.sender_info.rtp_timestamp - out[0].timestamp) % 2**32 == 9_000 + 90_000


async def test_without_a_source_nothing_is_sent_and_nothing_breaks() -> None:
    out: list[RtpPacket] = []
    source, sender = await uplink([]), await downlink(out)
    sender.follow(source)
    arrive(source, 1, 0)
    sender.follow(None)
    arrive(source, 2, 3000)

    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc))
    assert len(out) == 1
    assert source.sinks == ()


async def test_audio_is_forwarded_without_asking_for_anything() -> None:
    out: list[RtpPacket] = []
    rtcp: list[AnyRtcpPacket] = []
    source, sender = await uplink(rtcp, "audio"), await downlink(out, "audio")
    sender.follow(source)

    arrive(source, 1, 0)
    arrive(source, 5, 960)

    assert (len(out), rtcp) == (2, [])
