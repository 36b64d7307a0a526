"""The way down: one kind of media to one participant, taken from whoever is its source at the moment.

`DownlinkSender` stands where aiortc's sender stands and keeps its interface. It rewrites SSRC, payload type, sequence number
and timestamp into a space of its own, so that the viewer sees one unbroken stream when the source reconnects, keeps what
it sent for retransmission, and reports in the publisher's own clock, which keeps lips and voice together.
"""

import uuid
from collections.abc import Callable

from aiortc import clock
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    unpack_remb_fci,
)
from aiortc.stats import RTCStatsReport
from aiortc.utils import random16, random32

from backend.video.aiortc_engine.descriptions import payload_types
from backend.video.aiortc_engine.receiver import ABS_SEND_TIME, Stream, UplinkReceiver
from backend.video.rtp import (
    HEADER,
    HEADER_SIZE,
    MARKER,
    PLAIN,
    WITH_EXTENSION,
    extension_block,
)

HISTORY = 512
"""Packets kept for retransmission: about two seconds at 2 Mbit/s, where aiortc's 128 reach 0.6."""
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_SWITCH_GAP = 0.1


class DownlinkSender:
    """One kind of media to one participant. The camel-case and underscored names are aiortc's."""

    def __init__(
        self,
        kind: str,
        transport: RTCDtlsTransport,
        send_rtp: Callable[[bytes], None],
        *,
        limits_source: bool,
    ) -> None:
        self._kind = kind
        self._transport = transport
        self._send = send_rtp
        self._limits_source = limits_source
        self._ssrc, self._rtx_ssrc = random32(), random32()
        self._stream_id, self._track_id = str(uuid.uuid4()), str(uuid.uuid4())
        self._enabled = True
        self._started = False
        self._payload_type = 0
        self._rtx_payload_type: int | None = None
        self._cname = b""
        self._head = self._tail = b""
        self._first = PLAIN
        self._block_size = 0
        self._timed = False
        self._uplink: UplinkReceiver | None = None
        self._stream: Stream | None = None
        self._base = self._sequence_offset = self._timestamp_offset = 0
        self._highest = (
            random16() % 0x8000
        )  # the lower half, so that SRTP's rollover counter starts unambiguous
        self._timestamp = random32()
        self._clock_rate = 90000
        self._sent_at = 0.0
        self._history: list[tuple[int, bytes] | None] = [None] * HISTORY
        self._rtx_sequence = random16() % 0x8000
        self.packets = self._octets = self.retransmitted = 0

    # what the room and its connections call

    def follow(self, uplink: UplinkReceiver | None) -> None:
        """Take media from `uplink` from now on; None: send nothing until there is a source again."""
        if uplink is self._uplink:
            return
        if self._uplink is not None:
            self._uplink.sinks = tuple(sink for sink in self._uplink.sinks if sink is not self)
            self._uplink.viewer_gone(self)
        self._uplink = uplink
        if uplink is not None:
            uplink.sinks = (*uplink.sinks, self)
            uplink.request_keyframe()

    def take(
        self, stream: Stream, sequence: int, timestamp: int, marker: int, payload: bytes, now: float
    ) -> None:
        """Forward one packet."""
        if not self._started:
            return
        if stream is not self._stream:
            self._switch(stream, sequence, timestamp, now)
        if sequence < self._base:
            return
        number = sequence + self._sequence_offset
        out = HEADER.pack(
            self._first,
            marker | self._payload_type,
            number & 0xFFFF,
            (timestamp + self._timestamp_offset) & 0xFFFFFFFF,
            self._ssrc,
        )
        if self._timed:
            out += self._head + (int(now * 262144) & 0xFFFFFF).to_bytes(3, "big") + self._tail + payload
        else:
            out += self._head + payload
        if number > self._highest:
            self._highest = number
            self._timestamp = timestamp + self._timestamp_offset
            self._sent_at = now
        if self._rtx_payload_type is not None:
            self._history[number % HISTORY] = (number & 0xFFFF, out)
        self.packets += 1
        self._octets += len(payload)
        self._send(out)

    def reports(self, now: float) -> bytes:
        """Sender report and source description; empty before the first packet."""
        stream = self._stream
        if not self.packets or stream is None:
            return b""
        if stream.sender_ntp:
            elapsed = now - stream.sender_seen
            ntp = stream.sender_ntp + int(elapsed * (1 << 32))
            rtp = stream.sender_rtp + int(elapsed * self._clock_rate) + self._timestamp_offset
        else:
            ntp = clock.current_ntp_time()
            rtp = self._timestamp + int((now - self._sent_at) * self._clock_rate)
        info = RtcpSenderInfo(
            ntp_timestamp=ntp & 0xFFFFFFFFFFFFFFFF,
            rtp_timestamp=rtp & 0xFFFFFFFF,
            packet_count=self.packets & 0xFFFFFFFF,
            octet_count=self._octets & 0xFFFFFFFF,
        )
        name = RtcpSourceInfo(ssrc=self._ssrc, items=[(1, self._cname)])
        return bytes(RtcpSrPacket(ssrc=self._ssrc, sender_info=info)) + bytes(RtcpSdesPacket(chunks=[name]))

    # inside

    def _switch(self, stream: Stream, sequence: int, timestamp: int, now: float) -> None:
        """A new source: its first packet continues our own numbers; time goes on as it did on the wall."""
        self._clock_rate = stream.clock_rate
        gap = (now - self._sent_at) if self._stream is not None else _SWITCH_GAP
        self._base = sequence
        self._sequence_offset = self._highest + 1 - sequence
        self._timestamp_offset = self._timestamp + round(max(gap, _SWITCH_GAP) * self._clock_rate) - timestamp
        self._stream = stream
        if self._uplink is not None:
            self._uplink.request_keyframe()

    def _retransmit(self, sequence: int) -> None:
        kept = self._history[sequence % HISTORY]
        if kept is None or kept[0] != sequence or self._rtx_payload_type is None:
            return
        packet, start = kept[1], HEADER_SIZE + self._block_size
        first, second, _, timestamp, _ = HEADER.unpack_from(packet)
        second = second & MARKER | self._rtx_payload_type
        header = HEADER.pack(first, second, self._rtx_sequence, timestamp, self._rtx_ssrc)
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        self.retransmitted += 1
        self._send(header + packet[HEADER_SIZE:start] + sequence.to_bytes(2, "big") + packet[start:])

    # what aiortc calls

    @property
    def kind(self) -> str:
        """`audio` or `video`."""
        return self._kind

    @property
    def track(self) -> MediaStreamTrack | None:
        """None: media does not come from a track."""
        return None

    @property
    def transport(self) -> RTCDtlsTransport:
        """The DTLS transport."""
        return self._transport

    def replaceTrack(self, track: MediaStreamTrack | None) -> None:  # noqa: N802
        """Nothing to replace."""

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802
        """Bundled media share one."""
        self._transport = transport

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """The connection is up and this is what was negotiated."""
        if self._started:
            return
        self._payload_type, self._rtx_payload_type, self._clock_rate = payload_types(parameters.codecs)
        self._cname = (parameters.rtcp.cname or "").encode()
        ids = {header.uri: header.id for header in parameters.headerExtensions}
        constant = [(ids[MID], parameters.muxId.encode())] if MID in ids else []
        timed = (ids[ABS_SEND_TIME], 3) if 0 < ids.get(ABS_SEND_TIME, 0) < 15 else None
        self._head, self._tail = extension_block(constant, timed)
        self._timed = timed is not None
        if not self._timed:
            self._head += self._tail
        self._block_size = len(self._head) + (3 + len(self._tail) if self._timed else 0)
        self._first = WITH_EXTENSION if self._head else PLAIN
        self._transport._register_rtp_sender(self, parameters)
        self._started = True
        if self._uplink is not None:
            self._uplink.request_keyframe()

    async def stop(self) -> None:
        """Send no more."""
        self.follow(None)
        if self._started:
            self._started = False
            self._transport._unregister_rtp_sender(self)
        self._history = [None] * HISTORY

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        uplink = self._uplink
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for sequence in packet.lost[:HISTORY]:
                self._retransmit(sequence)
        elif isinstance(packet, RtcpPsfbPacket) and uplink is not None:
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                uplink.request_keyframe()
            elif packet.fmt == RTCP_PSFB_APP and self._limits_source:
                try:
                    bitrate, ssrcs = unpack_remb_fci(packet.fci)
                except (ValueError, IndexError):
                    return
                if self._ssrc in ssrcs and bitrate > 0:
                    uplink.viewer_takes(self, bitrate)

    async def getStats(self) -> RTCStatsReport:  # noqa: N802
        """Nothing: `AiortcEngine.stats` has the counters."""
        return RTCStatsReport()
