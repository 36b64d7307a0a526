"""Four seconds of a moving picture, 640x480 at 30 frames/s and about 1 Mbit/s in VP8, with a tone in Opus, as RTP payloads."""

import functools
import random
from fractions import Fraction
from typing import Any, NamedTuple

import av
from aiortc.codecs import get_encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

FPS, SECONDS, WIDTH, HEIGHT, BITRATE = 30, 4, 640, 480, 1_000_000
KEYFRAMES_EVERY = 2


class Timed(NamedTuple):
    """One frame: seconds from the start, RTP payloads."""

    at: float
    video: bool
    payloads: list[bytes]


@functools.cache
def frames() -> list[Timed]:
    """Both tracks in order of time; keyframes every `KEYFRAMES_EVERY` s."""
    return sorted([*_video(), *_audio()], key=lambda frame: frame.at)


def _video() -> list[Timed]:
    context: Any = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate, context.bit_rate = Fraction(1, 90000), FPS, BITRATE
    context.gop_size = KEYFRAMES_EVERY * FPS
    context.options = {
        "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1",
        "minrate": str(BITRATE), "maxrate": str(BITRATE), "bufsize": str(BITRATE // 2),
    }  # fmt: skip
    packer = get_encoder(RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97))
    chance = random.Random(4)
    noise = bytes(112 + value % 24 for value in chance.randbytes(WIDTH * 512))
    made: list[Timed] = []
    for number in range(SECONDS * FPS):
        picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for place, plane in enumerate(picture.planes):
            moving = noise[number * WIDTH :][: 150 * WIDTH] if place == 0 else b""
            plane.update(moving.ljust(plane.buffer_size, b"\x70"))
        picture.pts, picture.time_base = number * 90000 // FPS, Fraction(1, 90000)
        for packet in context.encode(picture):
            payloads, _ = packer.pack(packet)
            made.append(Timed(packet.pts / 90000, True, payloads))
    return made


def _audio() -> list[Timed]:
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.time_base, context.bit_rate = Fraction(1, 48000), 32_000
    chance = random.Random(5)
    made: list[Timed] = []
    for number in range(SECONDS * 50):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
        frame.planes[0].update(chance.randbytes(frame.planes[0].buffer_size))
        made += [Timed(number * 0.02, False, [bytes(packet)]) for packet in context.encode(frame)]
    return made
