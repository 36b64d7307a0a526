"""A program of its own, run as a child: makes a picture or a voice note anew from untrusted bytes.

Nothing of the sender's file survives but what is seen or heard: no place, no camera, no second stream, no trailer. It runs with
limits on time and memory, without the settings of its parent, and reads only formats named here.

    python -m backend.chat.remake <media type>      stdin: the file; stdout: results; exit 3: not acceptable, the code on stdout

Each result is a line of JSON `{"size", …}` followed by so many bytes: a picture and its small twin, or a voice note.
"""

import io
import json
import resource
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

LONGEST_SIDE = 1600
SMALL_SIDE = 320
MOST_PIXELS = 40_000_000
QUALITY, SMALL_QUALITY = 4, 6
"""Quantisers of JPEG: 2 is best, 31 worst."""
SHORTEST_NOTE, LONGEST_NOTE = 0.5, 62.0
VOICE_RATE = 24_000
VOICE_BITRATE = 32_000
BIT_EXACT = 1 << 23
SECONDS, MEMORY = 20, 1_500_000_000
REFUSED = 3
DEMUXERS = {
    "image/jpeg": "jpeg_pipe", "image/png": "png_pipe", "image/webp": "webp_pipe",
    "audio/webm": "matroska", "audio/ogg": "ogg", "audio/mp4": "mov",
}  # fmt: skip
CODECS = {
    "image/jpeg": ("mjpeg",), "image/png": ("png",), "image/webp": ("webp",),
    "audio/webm": ("opus",), "audio/ogg": ("opus", "vorbis"), "audio/mp4": ("aac",),
}  # fmt: skip


class Unacceptable(Exception):
    """The file is not what it says; the code is one of `backend.chat.rules.CONTENT`."""


def pictures(data: bytes, media_type: str) -> list[tuple[dict[str, Any], bytes]]:
    """The picture upright, at most `LONGEST_SIDE`, on white; and a small one."""
    with av.open(io.BytesIO(data), "r", format=DEMUXERS[media_type]) as container:
        stream = container.streams.video[0]
        _check_codec(stream, media_type)
        if stream.codec_context.width * stream.codec_context.height > MOST_PIXELS:
            raise Unacceptable("too_large")
        frame = next(container.decode(stream))
    if frame.width * frame.height > MOST_PIXELS:
        raise Unacceptable("too_large")
    found = []
    for side, quality in ((LONGEST_SIDE, QUALITY), (SMALL_SIDE, SMALL_QUALITY)):
        drawn = _drawn(frame, side)
        about = {"media_type": "image/jpeg", "width": drawn.width, "height": drawn.height}
        found.append((about, _jpeg(drawn, quality)))
    return found


def _drawn(frame: Any, longest: int) -> Any:
    """Scaled, turned the right way up, flattened on white."""
    scale = min(1.0, longest / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = frame.reformat(width=width, height=height, format="rgba")
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=small.format, time_base=Fraction(1, 1))
    white = graph.add("color", f"c=white:s={width}x{height}:r=1:d=1")
    over = graph.add("overlay", "format=rgb:shortest=1")
    white.link_to(over, 0, 0)
    source.link_to(over, 0, 1)
    last = over
    for name, argument in _turns(frame):
        turn = graph.add(name, argument)
        last.link_to(turn)
        last = turn
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    small.pts, small.time_base = 0, Fraction(1, 1)
    source.push(small)
    source.push(None)
    return sink.pull()


def _turns(frame: Any) -> list[tuple[str, str]]:
    """Filters that put a camera's picture upright; `rotation` is counter-clockwise."""
    match round(frame.rotation) % 360:
        case 90:
            return [("transpose", "cclock")]
        case 180:
            return [("hflip", ""), ("vflip", "")]
        case 270:
            return [("transpose", "clock")]
    return []


def _jpeg(frame: Any, quality: int) -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = Fraction(1, 1)
    context.qmin = context.qmax = quality
    context.flags |= BIT_EXACT
    plain = frame.reformat(format="yuvj420p")
    plain.pts, plain.time_base = 0, Fraction(1, 1)
    return b"".join(bytes(packet) for packet in (*context.encode(plain), *context.encode(None)))


def voice(data: bytes, media_type: str) -> list[tuple[dict[str, Any], bytes]]:
    """The note as AAC in MP4, which every phone plays; of at most a minute."""
    out = io.BytesIO()
    samples = 0
    with (
        av.open(io.BytesIO(data), "r", format=DEMUXERS[media_type]) as container,
        av.open(out, "w", format="mp4") as made,
    ):
        if container.streams.video or not container.streams.audio:
            raise Unacceptable("wrong_content")
        stream = container.streams.audio[0]
        _check_codec(stream, media_type)
        target = made.add_stream("aac", rate=VOICE_RATE, layout="mono", bit_rate=VOICE_BITRATE)
        target.codec_context.flags |= BIT_EXACT
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=VOICE_RATE)
        for frame in (*_frames(container, stream), None):
            for plain in resampler.resample(frame):
                plain.pts = samples
                samples += plain.samples
                if samples > LONGEST_NOTE * VOICE_RATE:
                    raise Unacceptable("too_long")
                made.mux(target.encode(plain))
        made.mux(target.encode(None))
    if samples < SHORTEST_NOTE * VOICE_RATE:
        raise Unacceptable("too_short")
    about = {"media_type": "audio/mp4", "duration_ms": samples * 1000 // VOICE_RATE}
    return [(about, index_first(out.getvalue()))]


def index_first(data: bytes) -> bytes:
    """An MP4 with its index (moov) before the sound, so that it plays while it is still coming (FFmpeg's faststart needs a file)."""
    boxes = dict(_boxes(data))
    index = bytearray(boxes[b"moov"])
    sound_moves_by = len(index)
    inside = memoryview(index)[8:]
    for name in (b"trak", b"mdia", b"minf", b"stbl", b"stco"):
        inside = next(memoryview(box)[8:] for kind, box in _boxes(inside) if kind == name)
    (count,) = struct.unpack_from(">I", inside, 4)
    for place in range(8, 8 + 4 * count, 4):
        (offset,) = struct.unpack_from(">I", inside, place)
        struct.pack_into(">I", inside, place, offset + sound_moves_by)
    rest = b"".join(box for kind, box in _boxes(data) if kind not in (b"ftyp", b"moov"))
    return bytes(boxes[b"ftyp"]) + bytes(index) + rest


def _boxes(data: Any) -> Iterator[tuple[bytes, Any]]:
    """Boxes of one level: kind, and the whole box."""
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place : place + size]
        place += size


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Frames one after another; what is damaged at the end of a cut recording is left out."""
    try:
        yield from container.decode(stream)
    except av.error.InvalidDataError:
        return


def _check_codec(stream: Any, media_type: str) -> None:
    if stream.codec_context.name.removeprefix("lib") not in CODECS[media_type]:
        raise Unacceptable("wrong_content")


def main(arguments: list[str]) -> int:
    """Read, make, write."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    av.logging.set_level(None)
    media_type = arguments[0]
    data = sys.stdin.buffer.read()
    make = pictures if media_type.startswith("image/") else voice
    try:
        results = make(data, media_type)
    except Unacceptable as unacceptable:
        sys.stdout.write(str(unacceptable))
        return REFUSED
    except (av.FFmpegError, StopIteration, IndexError, ValueError):
        sys.stdout.write("wrong_content")
        return REFUSED
    for about, content in results:
        sys.stdout.buffer.write(json.dumps(about | {"size": len(content)}).encode() + b"\n" + content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
