"""Pictures and voice notes as phones make them, small."""

import io
import math
import random
import struct
from fractions import Fraction
from typing import Any

import av

RED, BLUE = (255, 0, 0), (0, 0, 255)


def a_frame(width: int = 64, height: int = 32, mark: tuple[int, int, int] = RED) -> Any:
    """Blue, with its upper left quarter in another colour."""
    frame = av.VideoFrame(width, height, "rgb24")
    line = frame.planes[0].line_size
    pixels = bytearray(line * height)
    for y in range(height):
        for x in range(width):
            colour = mark if y < height // 2 and x < width // 2 else BLUE
            pixels[y * line + 3 * x : y * line + 3 * x + 3] = bytes(colour)
    frame.planes[0].update(bytes(pixels))
    return frame


def encoded(frame: Any, codec: str, pix_fmt: str) -> bytes:
    """One picture."""
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, pix_fmt
    context.time_base = Fraction(1, 1)
    plain = frame.reformat(format=pix_fmt)
    plain.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(plain), *context.encode(None)))


def png(width: int = 64, height: int = 32) -> bytes:
    """A PNG."""
    return encoded(a_frame(width, height), "png", "rgb24")


def noise(width: int = 100, height: int = 60) -> bytes:
    """A PNG that does not compress: some twenty thousand bytes."""
    frame = av.VideoFrame(width, height, "rgb24")
    frame.planes[0].update(random.Random(1).randbytes(frame.planes[0].buffer_size))
    return encoded(frame, "png", "rgb24")


def jpeg(width: int = 64, height: int = 32, orientation: int = 1, camera: bytes = b"SecretCamera") -> bytes:
    """A photograph: turned by its orientation, with the camera's name and a place in it."""
    plain = encoded(a_frame(width, height), "mjpeg", "yuvj420p")
    entries = [(0x010F, 2, camera + b"\0"), (0x0112, 3, struct.pack(">HH", orientation, 0))]
    offset, directory, extra = 8 + 2 + 12 * len(entries) + 4, b"", b""
    for tag, kind, value in entries:
        count = len(value) if kind == 2 else 1
        if len(value) <= 4:
            directory += struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            directory += struct.pack(">HHII", tag, kind, count, offset + len(extra))
            extra += value
    tiff = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + directory + b"\0\0\0\0" + extra
    segment = b"Exif\0\0" + tiff
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


def note(container: str = "webm", codec: str = "libopus", seconds: float = 2.0) -> bytes:
    """A tone."""
    out = io.BytesIO()
    rate, size = 48_000, 960
    tone = [0.3 * math.sin(2 * math.pi * 440 * n / rate) for n in range(size)]
    with av.open(out, "w", format=container) as made:
        made.metadata["title"] = "SecretTitle"
        stream: Any = made.add_stream(codec, rate=rate, layout="mono")
        for number in range(round(seconds * rate / size)):
            frame = av.AudioFrame("flt" if codec == "libopus" else "fltp", "mono", size)
            frame.rate, frame.pts = rate, number * size
            frame.planes[0].update(struct.pack(f"{size}f", *tone))
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


def film() -> bytes:
    """WebM with a picture and no sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as made:
        stream: Any = made.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for number in range(10):
            frame = a_frame().reformat(format="yuv420p")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


def pixel(picture: bytes, x: int, y: int) -> tuple[int, int, int]:
    """Colour of a place of a JPEG."""
    with av.open(io.BytesIO(picture), "r", format="jpeg_pipe") as container:
        frame: Any = next(container.decode(video=0)).reformat(format="rgb24")
    line = frame.planes[0].line_size
    data = bytes(frame.planes[0])
    return (data[y * line + 3 * x], data[y * line + 3 * x + 1], data[y * line + 3 * x + 2])
