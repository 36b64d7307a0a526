"""The parts of aiortc, aioice and pylibsrtp that we lean on and that their authors never promised to keep.

aiortc is pinned exactly. `missing()` says which names are gone; a test and the start of the media process ask it, so that
an upgrade fails with a list instead of in a call.
"""

import inspect
from importlib.metadata import version
from typing import Any

import aioice
from aiortc import RTCPeerConnection, rate, rtp
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpRouter
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

PINNED = {"aiortc": "1.16.0"}

_SOURCES: dict[Any, tuple[str, ...]] = {
    # what replaces the sender and the receiver of a transceiver
    RTCRtpTransceiver.__init__: ("self.__receiver", "self.__sender"),
    # what a peer connection and a transceiver call on them
    RTCPeerConnection.setRemoteDescription: (
        "receiver._track",
        "receiver.track",
        "receiver.setTransport",
        "sender.setTransport",
    ),
    RTCRtpTransceiver.stop: ("receiver.stop()", "sender.stop()"),
    RTCRtpTransceiver._setCurrentDirection: ("sender._enabled", "receiver._enabled"),
    # where packets are taken and given
    RTCIceTransport.__init__: ("self._connection", "self._recv = self._connection.recv"),
    RTCIceGatherer.__init__: ("self._connection",),
    aioice.Connection.__init__: (
        "self._nominated",
        "self._protocols",
        "self._queue: asyncio.Queue[tuple[bytes, int] | None]",
    ),
    aioice.Connection.gather_candidates: (
        "self.get_component_candidates(component=component, addresses=addresses)",
    ),
    aioice.ice.StunProtocol.datagram_received: (
        "self.receiver.data_received(data, self.local_candidate.component)",
    ),
    aioice.ice.StunProtocol.connection_made: ("self.transport",),
    RTCDtlsTransport._setup_srtp: ("self._rx_srtp", "self._tx_srtp"),
    RTCDtlsTransport.__init__: ("self._rtp_router",),
    RTCDtlsTransport._handle_rtcp_data: ("_handle_rtcp_packet(packet)", "route_rtcp"),
    RtpRouter.__init__: ("self.ssrc_table",),
    # the estimate of what the way up can carry
    rate.OveruseEstimator.update: ("self.update_min_frame_period(timestamp_delta_ms)",),
    rate.RemoteBitrateEstimator.__init__: ("self.incoming_bitrate", "self.estimator = OveruseEstimator()"),
}
_ATTRIBUTES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (RTCDtlsTransport, ("_register_rtp_receiver", "_unregister_rtp_receiver", "_register_rtp_sender", "_unregister_rtp_sender")),
    (RTCRtpReceiver, ("_set_rtcp_ssrc", "_handle_disconnect", "_handle_rtcp_packet", "_handle_rtp_packet", "receive", "stop", "setTransport", "getStats", "track", "transport")),
    (RTCRtpSender, ("_handle_rtcp_packet", "send", "stop", "setTransport", "getStats", "replaceTrack", "track", "transport", "kind")),
    (aioice.Connection, ("data_received",)),
    (aioice.ice.CandidatePair, ("remote_addr",)),
    (rate, ("RemoteBitrateEstimator",)),
    (rtp, ("RtcpSrPacket", "RtcpRrPacket", "RtcpRtpfbPacket", "RtcpPsfbPacket", "RtcpSdesPacket", "pack_remb_fci", "unpack_remb_fci")),
)  # fmt: skip


def missing() -> list[str]:
    """Names that are gone and versions that differ; empty when all is as it was when this was written."""
    gone = [
        f"{name} is {version(name)}, written for {wanted}"
        for name, wanted in PINNED.items()
        if version(name) != wanted
    ]
    for function, texts in _SOURCES.items():
        source = inspect.getsource(function)
        gone += [f"{function.__qualname__}: {text}" for text in texts if text not in source]
    for owner, names in _ATTRIBUTES:
        gone += [f"{owner.__name__}.{name}" for name in names if not hasattr(owner, name)]
    return gone
