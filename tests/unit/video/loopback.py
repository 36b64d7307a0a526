"""A way up and a way down without a network: packets handed over in memory, requests collected."""

from types import SimpleNamespace
from typing import Any

from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import AnyRtcpPacket, HeaderExtensionsMap, RtcpPacket, RtpPacket

from backend.video.aiortc_engine.receiver import ABS_SEND_TIME, UplinkReceiver
from backend.video.aiortc_engine.sender import MID, DownlinkSender
from backend.video.rtp import HEADER

MEDIA, RTX = 97, 98
EXTENSIONS = [
    RTCRtpHeaderExtensionParameters(id=1, uri=MID),
    RTCRtpHeaderExtensionParameters(id=3, uri=ABS_SEND_TIME),
]


class Transport(SimpleNamespace):
    """What aiortc's DTLS transport is to a sender and a receiver."""

    def __init__(self) -> None:
        super().__init__(_rtp_router=SimpleNamespace(ssrc_table={}))

    def _register_rtp_receiver(self, *_: Any) -> None: ...
    def _unregister_rtp_receiver(self, *_: Any) -> None: ...
    def _register_rtp_sender(self, *_: Any) -> None: ...
    def _unregister_rtp_sender(self, *_: Any) -> None: ...


def codecs(kind: str = "video") -> list[RTCRtpCodecParameters]:
    """VP8 with retransmission, or Opus."""
    if kind == "audio":
        return [RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=MEDIA)]
    return [
        RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=MEDIA),
        RTCRtpCodecParameters(
            mimeType="video/rtx", clockRate=90000, payloadType=RTX, parameters={"apt": MEDIA}
        ),
    ]


async def uplink(rtcp: list[AnyRtcpPacket], kind: str = "video", ceiling: int = 1_000_000) -> UplinkReceiver:
    """A receiver that is connected; what it asks of its participant goes to `rtcp`."""
    transport: Any = Transport()
    made = UplinkReceiver(kind, transport, ceiling, lambda raw: rtcp.extend(RtcpPacket.parse(raw)))
    made._set_rtcp_ssrc(4711)
    await made.receive(RTCRtpReceiveParameters(codecs=codecs(kind), headerExtensions=EXTENSIONS))
    return made


async def downlink(
    out: list[RtpPacket], kind: str = "video", *, limits_source: bool = True
) -> DownlinkSender:
    """A sender that is connected; its packets go to `out`, parsed."""
    known = HeaderExtensionsMap()
    parameters = RTCRtpSendParameters(codecs=codecs(kind), headerExtensions=EXTENSIONS, muxId="v1")
    parameters.rtcp.cname = "somebody"
    known.configure(parameters)
    transport: Any = Transport()
    made = DownlinkSender(
        kind, transport, lambda raw: out.append(RtpPacket.parse(raw, known)), limits_source=limits_source
    )
    await made.send(parameters)
    return made


def arrive(
    receiver: UplinkReceiver, sequence: int, timestamp: int, payload: bytes = b"payload", *, ssrc: int = 1, now: float = 0.0,
    marker: int = 0, payload_type: int = MEDIA,
) -> None:  # fmt: skip
    """One packet comes in."""
    raw = HEADER.pack(0x80, payload_type | marker, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload
    receiver.packet(raw, payload_type, marker, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, now)


def arrive_again(
    receiver: UplinkReceiver, sequence: int, timestamp: int, payload: bytes = b"payload"
) -> None:
    """The same as a retransmission (RFC 4588)."""
    arrive(receiver, 9, timestamp, (sequence & 0xFFFF).to_bytes(2, "big") + payload, ssrc=2, payload_type=RTX)
