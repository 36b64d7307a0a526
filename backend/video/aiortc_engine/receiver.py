"""The way up: what one participant sends of one kind, handed on packet by packet.

`UplinkReceiver` stands where aiortc's receiver stands and keeps its interface, without decoder, jitter buffer and thread.
Media reaches it through `packet`, called by the connection for every decrypted RTP packet.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)
from aiortc.stats import RTCStatsReport

from backend.video.aiortc_engine.bandwidth import Bandwidth
from backend.video.aiortc_engine.descriptions import payload_types
from backend.video.aiortc_engine.keyframes import KeyframeRequests
from backend.video.aiortc_engine.missing_packets import RETRY_AFTER, MissingPackets
from backend.video.aiortc_engine.reception import Reception
from backend.video.recording.timestamps import Unwrapper
from backend.video.rtp import MARKER, extension, payload_bounds

ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"


class Stream:
    """One SSRC while it lasts. A sink that sees another stream than before has a new source."""

    __slots__ = (
        "clock_rate",
        "missing",
        "reception",
        "sender_ntp",
        "sender_rtp",
        "sender_seen",
        "sequence",
        "ssrc",
        "timestamp",
    )

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.sequence = Unwrapper(16)
        self.timestamp = Unwrapper(32)
        self.reception = Reception(ssrc, clock_rate)
        self.missing = MissingPackets()
        self.sender_ntp = 0
        self.sender_rtp = 0
        self.sender_seen = 0.0


class Sink(Protocol):
    """Takes what a participant sends: numbers unwrapped, `marker` 0 or 0x80, `payload` without extension and padding."""

    def take(
        self, stream: Stream, sequence: int, timestamp: int, marker: int, payload: bytes, now: float
    ) -> None:
        """Called for every packet, retransmitted ones included, in order of arrival."""


OnReport = Callable[[Stream, float, int], None]
"""The sender's clock in seconds and the unwrapped timestamp it belongs to."""


class UplinkReceiver:
    """One kind of media from one participant. The camel-case and underscored names are aiortc's."""

    def __init__(
        self, kind: str, transport: RTCDtlsTransport, ceiling: int, send_rtcp: Callable[[bytes], None]
    ) -> None:
        self.kind = kind
        self._enabled = True
        self._track: MediaStreamTrack | None = None
        self._transport = transport
        self._send_rtcp = send_rtcp
        self._rtcp_ssrc = 0
        self._payload_type = self._send_time_id = -1
        self._rtx_payload_type: int | None = None
        self._clock_rate = 90000
        self._registered = False
        self._stream: Stream | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._video = kind == "video"
        self._bandwidth = Bandwidth(ceiling) if self._video else None
        self.keyframes = KeyframeRequests(self._send_pli)
        self.sinks: tuple[Sink, ...] = ()
        self.on_report: OnReport | None = None
        self.last_packet: float | None = None

    # what the room and its connections call

    def packet(
        self,
        packet: bytes,
        payload_type: int,
        marker: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        now: float,
    ) -> None:
        """One decrypted RTP packet of this receiver's payload types."""
        start, end = payload_bounds(packet)
        if payload_type == self._rtx_payload_type:
            if end - start < 2 or self._stream is None:
                return
            sequence = packet[start] << 8 | packet[start + 1]
            start += 2
            stream, repaired = self._stream, True
        else:
            stream, repaired = self._stream_of(ssrc), False
        self.last_packet = now
        sequence, timestamp = stream.sequence(sequence), stream.timestamp(timestamp)
        if not repaired:
            stream.reception.add(sequence, timestamp, end - start, now)
        if self._video:
            self._account(stream, packet, start, end, sequence, now)
        payload = packet[start:end]
        for sink in self.sinks:
            sink.take(stream, sequence, timestamp, marker, payload, now)

    def handles(self, payload_type: int) -> bool:
        """Whether packets of this payload type belong here."""
        return payload_type in (self._payload_type, self._rtx_payload_type)

    def report(self, now: float) -> RtcpReceiverInfo | None:
        """Block for the connection's receiver report."""
        return self._stream.reception.report(now) if self._stream is not None else None

    def request_keyframe(self) -> None:
        """Ask for a picture that needs no other; throttled."""
        if self._video and self._stream is not None:
            self.keyframes.request()

    def viewer_takes(self, who: object, bitrate: int) -> None:
        """A viewer's REMB: passed up as part of the minimum."""
        if self._bandwidth is not None and (allowed := self._bandwidth.viewer(who, bitrate)) is not None:
            self._send_remb(allowed)

    def viewer_gone(self, who: object) -> None:
        """The viewer no longer limits."""
        if self._bandwidth is not None:
            self._bandwidth.viewer_gone(who)

    @property
    def allowed(self) -> int | None:
        """Bit/s last announced to the participant."""
        return self._bandwidth.allowed if self._bandwidth is not None else None

    @property
    def incomplete(self) -> bool:
        """Whether packets are missing that were asked for again."""
        return self._stream is not None and bool(self._stream.missing)

    @property
    def reception(self) -> Reception | None:
        """Counters of the present stream."""
        return self._stream.reception if self._stream is not None else None

    # inside

    def _stream_of(self, ssrc: int) -> Stream:
        stream = self._stream
        if stream is None or stream.ssrc != ssrc:
            table = self._transport._rtp_router.ssrc_table
            if stream is not None:
                table.pop(stream.ssrc, None)
            table[ssrc] = self
            self._stream = stream = Stream(ssrc, self._clock_rate)
            if self._video:
                asyncio.get_running_loop().call_soon(self.request_keyframe)
        return stream

    def _account(
        self, stream: Stream, packet: bytes, start: int, end: int, sequence: int, now: float
    ) -> None:
        if gap := stream.missing.add(sequence, now):
            self._send_nack(stream, gap)
        elif stream.missing.overrun:
            stream.missing.overrun = False
            self.keyframes.request()
        if self._send_time_id > 0 and self._bandwidth is not None:
            sent = extension(packet, self._send_time_id, start)
            if sent is not None and len(sent) == 3:
                allowed = self._bandwidth.add(int.from_bytes(sent, "big"), end - start, stream.ssrc, now)
                if allowed is not None:
                    self._send_remb(allowed)

    def _send_nack(self, stream: Stream, sequences: list[int]) -> None:
        nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=self._rtcp_ssrc, media_ssrc=stream.ssrc)
        nack.lost = [sequence & 0xFFFF for sequence in sequences]
        self._send_rtcp(bytes(nack))
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_AFTER, self._ask_again, stream)

    def _ask_again(self, stream: Stream) -> None:
        self._retry = None
        if stream is not self._stream or not stream.missing:
            return
        loop = asyncio.get_running_loop()
        if again := stream.missing.due(loop.time()):
            self._send_nack(stream, again)
        elif stream.missing:
            self._retry = loop.call_later(RETRY_AFTER / 2, self._ask_again, stream)

    def _send_pli(self) -> None:
        if self._stream is not None:
            self._send_rtcp(
                bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._rtcp_ssrc, media_ssrc=self._stream.ssrc))
            )

    def _send_remb(self, bitrate: int) -> None:
        if self._stream is not None:
            fci = pack_remb_fci(bitrate, [self._stream.ssrc])
            self._send_rtcp(
                bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._rtcp_ssrc, media_ssrc=0, fci=fci))
            )

    # what aiortc calls

    @property
    def track(self) -> MediaStreamTrack | None:
        """The track that aiortc made; nothing ever comes out of it."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport:
        """The DTLS transport."""
        return self._transport

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802
        """Bundled media share one."""
        self._transport = transport

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """The connection is up and this is what was negotiated."""
        if self._registered:
            return
        self._registered = True
        self._payload_type, self._rtx_payload_type, self._clock_rate = payload_types(parameters.codecs)
        for header in parameters.headerExtensions:
            if header.uri == ABS_SEND_TIME:
                self._send_time_id = header.id
        self._transport._register_rtp_receiver(self, parameters)

    async def stop(self) -> None:
        """No more packets."""
        self.keyframes.close()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self.sinks = ()
        if self._registered:
            self._transport._unregister_rtp_receiver(self)
            self._registered = False
        if self._track is not None:
            self._track.stop()

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._rtcp_ssrc = ssrc

    def _handle_disconnect(self) -> None:
        return

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        stream = self._stream
        if isinstance(packet, RtcpSrPacket) and stream is not None and packet.ssrc == stream.ssrc:
            now = asyncio.get_running_loop().time()
            stream.reception.sender_report(packet.sender_info.ntp_timestamp, now)
            stream.sender_ntp = packet.sender_info.ntp_timestamp
            stream.sender_rtp = packet.sender_info.rtp_timestamp
            stream.sender_seen = now
            if self.on_report is not None:
                seconds = packet.sender_info.ntp_timestamp / (1 << 32)
                self.on_report(stream, seconds, stream.timestamp.near(packet.sender_info.rtp_timestamp))

    async def _handle_rtp_packet(self, packet: Any, arrival_time_ms: int) -> None:
        """A packet that came before the fast path was in place: it is asked for again, or never missed."""

    async def getStats(self) -> RTCStatsReport:  # noqa: N802
        """Nothing: `AiortcEngine.stats` has the counters."""
        return RTCStatsReport()


__all__ = ["MARKER", "Sink", "Stream", "UplinkReceiver"]
