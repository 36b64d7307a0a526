"""Frames cut into RTP payloads and packets, by aiortc's own packetisers."""

from fractions import Fraction
from typing import Any

import av
from aiortc.codecs import get_encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from backend.video.engine import VideoCodec
from backend.video.recording.assembler import Packet
from tests.unit.video.clips import Encoded


def packetised(codec: VideoCodec, frame: Encoded) -> list[bytes]:
    """Payloads of one frame."""
    encoder = get_encoder(
        RTCRtpCodecParameters(mimeType=f"video/{codec.value}", clockRate=90000, payloadType=97)
    )
    packet: Any = av.Packet(frame.data)
    packet.pts, packet.time_base = frame.pts, Fraction(1, 90000)
    payloads, _ = encoder.pack(packet)
    return payloads


def video_packets(
    codec: VideoCodec, frames: list[Encoded], *, first: int = 100, start: float = 0.0
) -> list[Packet]:
    """Numbered packets that arrive at the pace of the frames."""
    packets: list[Packet] = []
    for frame in frames:
        payloads = packetised(codec, frame)
        arrival = start + frame.pts / 90000
        for place, payload in enumerate(payloads):
            marker = 0x80 if place == len(payloads) - 1 else 0
            packets.append(Packet(first + len(packets), frame.pts, marker, payload, arrival))
    return packets


def audio_packets(frames: list[Encoded], *, first: int = 500, start: float = 0.0) -> list[Packet]:
    """One packet per frame."""
    return [
        Packet(first + number, frame.pts, 0, frame.data, start + frame.pts / 48000)
        for number, frame in enumerate(frames)
    ]
