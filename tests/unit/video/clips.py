"""Short encoded clips, made once per run: a moving picture in VP8 or H.264, a tone in Opus."""

import functools
import math
import struct
from fractions import Fraction
from typing import Any, NamedTuple

import av

from backend.video.engine import VideoCodec

FPS = 30
WIDTH, HEIGHT = 320, 240


class Encoded(NamedTuple):
    """One frame: ticks of its own clock, bytes, whether it is a keyframe."""

    pts: int
    data: bytes
    key: bool


@functools.cache
def video(
    codec: VideoCodec = VideoCodec.VP8, seconds: int = 2, bitrate: int = 300_000
) -> tuple[Encoded, ...]:
    """A keyframe at the start of every second; ticks of 1/90000 s."""
    name = "libvpx" if codec is VideoCodec.VP8 else "libx264"
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate, context.bit_rate = Fraction(1, 90000), FPS, bitrate
    context.gop_size = FPS
    context.options = (
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}
        if codec is VideoCodec.VP8
        else {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": "repeat-headers=1:slices=2",
        }
    )
    frames: list[Encoded] = []
    for number in range(seconds * FPS):
        picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane_number, plane in enumerate(picture.planes):
            row = bytes((number * 5 + plane_number * 60 + x) % 256 for x in range(plane.line_size))
            plane.update(row * plane.height)
        picture.pts, picture.time_base = number * 90000 // FPS, Fraction(1, 90000)
        frames += [
            Encoded(packet.pts, bytes(packet), packet.is_keyframe) for packet in context.encode(picture)
        ]
    return tuple(frames)


@functools.cache
def audio(seconds: int = 2) -> tuple[Encoded, ...]:
    """A 440 Hz tone in packets of 20 ms; ticks of 1/48000 s."""
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.time_base = Fraction(1, 48000)
    packets: list[Encoded] = []
    for number in range(seconds * 50):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
        values = [int(9000 * math.sin(2 * math.pi * 440 * (number * 960 + i) / 48000)) for i in range(960)]
        frame.planes[0].update(struct.pack("<1920h", *(v for value in values for v in (value, value))))
        packets += [Encoded(number * 960, bytes(packet), True) for packet in context.encode(frame)]
    return tuple(packets)
