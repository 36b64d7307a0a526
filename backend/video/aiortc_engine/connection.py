"""One participant's peer connection and the path of its packets.

aiortc brings the connection up (ICE, DTLS, keys). From then on every RTP packet that ICE hands over is taken here, before
aiortc's queue: decrypt, read the header, give it to the receiver of its payload type, whose sinks send it on. STUN, DTLS and
RTCP still go aiortc's way.
"""

import asyncio
import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtcpRrPacket

from backend.video.aiortc_engine.descriptions import checked_offer, wanted
from backend.video.aiortc_engine.receiver import UplinkReceiver
from backend.video.aiortc_engine.sender import DownlinkSender
from backend.video.descriptions import finished_answer
from backend.video.engine import JoinRefused, VideoCodec
from backend.video.rtp import HEADER, HEADER_SIZE, MARKER
from foundation.logs import log

REPORT_EVERY = 1.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class MediaLine:
    """One m-line, and whether the participant sends on it."""

    kind: str
    sends: bool


PARTICIPANT = (MediaLine("audio", sends=True), MediaLine("video", sends=True))
SUPERVISOR = (MediaLine("audio", sends=False), MediaLine("video", sends=False))


@dataclass(frozen=True)
class Network:
    """`bind`: local addresses to listen on, all when empty; `public`: the address browsers see, behind NAT 1:1."""

    bind: tuple[str, ...] = ()
    public: str = ""


def _is_rtp(data: bytes) -> bool:
    """Neither STUN nor DTLS (RFC 7983) nor RTCP (RFC 5761)."""
    return len(data) >= HEADER_SIZE and 127 < data[0] < 192 and not 191 < data[1] < 209


def quiet_after_close(transport: Any) -> None:
    """aiortc goes on connecting its second m-line after a close, and raises into a task that nobody waits for."""
    start = transport.start

    async def start_unless_closed(parameters: Any) -> None:
        if transport.state != "closed":
            await start(parameters)

    transport.start = start_unless_closed


class MediaConnection:
    """One connection from offer to close. `on_state` is told `connected`, `failed` and `closed` once each at most."""

    def __init__(
        self,
        lines: Sequence[MediaLine],
        codec: VideoCodec,
        max_bitrate: int,
        network: Network,
        on_state: Callable[[str], None],
    ) -> None:
        self._lines = lines
        self._codec = codec
        self._max_bitrate = max_bitrate
        self._network = network
        self._on_state = on_state
        self._peer = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._dtls: RTCDtlsTransport | None = None
        self._ice: Any = None
        self._pair: Any = None
        self._send_datagram: Callable[[bytes, Any], None] = lambda *_: None
        self._remote: Any = None
        self._protect: Callable[[bytes], bytes] | None = None
        self._unprotect: Callable[[bytes], bytes] | None = None
        self._routes: dict[int, UplinkReceiver] = {}
        self._reporting: asyncio.Task[None] | None = None
        self._now = asyncio.get_running_loop().time
        self._closed = False
        self._told: set[str] = set()
        self.last_datagram: float | None = None
        self.refused_packets = self.failures = 0
        self.uplinks: dict[str, UplinkReceiver] = {}
        self.downlinks: list[DownlinkSender] = []
        for line in lines:
            self._add(line)

    def _add(self, line: MediaLine) -> None:
        transceiver = self._peer.addTransceiver(line.kind, "sendrecv" if line.sends else "sendonly")
        transceiver.setCodecPreferences(
            [
                codec
                for codec in get_capabilities(line.kind).codecs
                if codec.mimeType == "audio/opus" or wanted(self._codec, codec.mimeType, codec.parameters)
            ]
        )
        dtls: RTCDtlsTransport = transceiver.receiver.transport
        sender = DownlinkSender(line.kind, dtls, self.send_rtp, limits_source=line.sends)
        receiver = UplinkReceiver(line.kind, dtls, self._max_bitrate, self.send_rtcp)
        sender._stream_id = transceiver.sender._stream_id
        receiver._set_rtcp_ssrc(sender._ssrc)
        # the two private names that make it ours; nothing else refers to the old ones before negotiation
        setattr(transceiver, "_RTCRtpTransceiver__sender", sender)  # noqa: B010
        setattr(transceiver, "_RTCRtpTransceiver__receiver", receiver)  # noqa: B010
        self.downlinks.append(sender)
        if line.sends:
            self.uplinks[line.kind] = receiver
        if self._dtls is None:
            self._dtls, self._ice = dtls, dtls.transport._connection
            dtls.on("statechange", self._dtls_changed)
            quiet_after_close(dtls.transport)
            self._ice.get_component_candidates = functools.partial(
                self._candidates, self._ice.get_component_candidates
            )

    async def answer(self, offer: str) -> str:
        """Complete the offer; `JoinRefused` when it cannot be."""
        offer = checked_offer(offer, [line.kind for line in self._lines])
        self._peer.on("connectionstatechange", self._peer_changed)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except OperationError as error:
            raise JoinRefused("codec_not_offered", str(error)) from error
        except (
            InvalidStateError,
            InvalidAccessError,
            ValueError,
            KeyError,
            AttributeError,
            AssertionError,
            IndexError,
        ) as error:
            raise JoinRefused("bad_offer", repr(error)) from error
        return finished_answer(
            self._peer.localDescription.sdp,
            public_address=self._network.public,
            max_bitrate=self._max_bitrate,
        )

    async def close(self) -> None:
        """End it; may be called at any time and more than once."""
        if self._closed:
            return
        self._closed = True
        self._protect = self._unprotect = None
        for sender in self.downlinks:
            sender.follow(None)
        if self._reporting is not None:
            self._reporting.cancel()
        await asyncio.sleep(
            0
        )  # aiortc's own task has begun to connect: closed before that, it would raise into nowhere
        await self._peer.close()

    # packets out

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send; dropped while there is no way to the participant."""
        if self._protect is not None and self._way():
            self._send_datagram(self._protect(packet), self._remote)

    def send_rtcp(self, packet: bytes) -> None:
        """The same for reports and requests."""
        if self._protect is not None and self._dtls is not None and self._way():
            self._send_datagram(self._dtls._tx_srtp.protect_rtcp(packet), self._remote)

    def _way(self) -> bool:
        pair = self._ice._nominated.get(1)
        if pair is not self._pair:
            self._pair = pair
            if pair is not None:
                self._send_datagram, self._remote = pair.protocol.transport.sendto, pair.remote_addr
        return pair is not None

    # packets in

    def _take_over(self, protocol: Any) -> None:
        """Look at every datagram of one of ICE's sockets before ICE does."""
        to_ice = protocol.datagram_received

        def first_look(data: bytes, address: Any) -> None:
            self.last_datagram = now = self._now()
            if _is_rtp(data) and self._unprotect is not None:
                self._rtp(data, now)
            else:
                to_ice(data, address)

        protocol.datagram_received = first_look

    def _rtp(self, data: bytes, now: float) -> None:
        if self._unprotect is None:
            return
        try:
            packet = self._unprotect(data)
        except Exception:  # replayed, forged or damaged
            self.refused_packets += 1
            return
        try:
            _, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
            payload_type = second & 0x7F
            receiver = self._routes.get(payload_type) or self._route(payload_type)
            if receiver is not None:
                receiver.packet(packet, payload_type, second & MARKER, sequence, timestamp, ssrc, now)
        except Exception as error:  # one strange packet must not end a call
            self.failures += 1
            if self.failures in (1, 10, 100, 1000):
                log.error("media_packet_failed", failures=self.failures, exc_info=error)

    def _route(self, payload_type: int) -> UplinkReceiver | None:
        for receiver in self.uplinks.values():
            if receiver.handles(payload_type):
                self._routes[payload_type] = receiver
                return receiver
        return None

    # what aiortc says

    def _dtls_changed(self) -> None:
        if self._dtls is None:
            return
        if self._dtls.state == "connected" and not self._closed:
            self._protect, self._unprotect = self._dtls._tx_srtp.protect, self._dtls._rx_srtp.unprotect
            for protocol in self._ice._protocols:
                self._take_over(protocol)
            asyncio.get_running_loop().call_soon(self._early_packets)
            self._reporting = asyncio.create_task(self._report())
            self._tell("connected")
        elif self._dtls.state in ("failed", "closed"):
            self._protect = self._unprotect = None
            self._tell(self._dtls.state)

    def _early_packets(self) -> None:
        """A browser sends right behind its last handshake message: what waits in aiortc's queue begins with its first keyframe."""
        queue, waiting = self._ice._queue, []
        while not queue.empty():
            waiting.append(queue.get_nowait())
        for item in waiting:
            if item is None or not _is_rtp(item[0]):
                queue.put_nowait(item)
            else:
                self._rtp(item[0], self._now())

    def _peer_changed(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._tell(self._peer.connectionState)

    def _tell(self, state: str) -> None:
        if state not in self._told and not self._closed:
            self._told.add(state)
            self._on_state(state)

    async def _report(self) -> None:
        """RTCP once a second, a little random so that the reports of many do not march in step (RFC 3550, 6.2)."""
        while True:
            await asyncio.sleep(REPORT_EVERY * (0.75 + random.random() / 2))  # noqa: S311
            try:
                self._send_reports(self._now())
            except (
                Exception
            ) as error:  # the next one may do; without any, retransmission and rate control would still work
                log.error("media_report_failed", exc_info=error)

    def _send_reports(self, now: float) -> None:
        for sender in self.downlinks:
            if reports := sender.reports(now):
                self.send_rtcp(reports)
        blocks = [block for receiver in self.uplinks.values() if (block := receiver.report(now)) is not None]
        if blocks:
            self.send_rtcp(bytes(RtcpRrPacket(ssrc=self.downlinks[0]._ssrc, reports=blocks)))

    async def _candidates(
        self, gather: Callable[..., Any], component: int, addresses: list[str], **options: Any
    ) -> Any:
        """Our choice of local addresses; a machine without any network still has its loopback."""
        chosen = list(self._network.bind) or addresses or [LOOPBACK]
        return await gather(component=component, addresses=chosen, **options)
