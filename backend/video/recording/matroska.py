"""Encoded frames into a Matroska stream, without encoding anything and without ever seeking back."""

import io
from fractions import Fraction
from typing import Any

import av

from backend.video.engine import VideoCodec
from backend.video.recording.payloads import has_parameter_sets, vp8_size
from foundation.object_store import Appender

MILLISECONDS = Fraction(1, 1000)
OPTIONS = {"cluster_time_limit": "100", "max_interleave_delta": "200000", "flush_packets": "1"}
"""Clusters of a tenth of a second (ms), and hardly waiting for the other track (µs): with a batch of the recorder's that is
what is lost when the process is killed, and a second is the most that may be. FFmpeg's own defaults would keep back five seconds, and ten where one track is silent."""


def can_begin(codec: VideoCodec, frame: bytes, *, key: bool) -> bool:
    """Whether a file can begin with this frame: a keyframe that says its own size."""
    if not key:
        return False
    if codec is VideoCodec.H264:
        return has_parameter_sets(frame)
    try:
        return 0 not in vp8_size(frame)
    except ValueError:
        return False


class _Sink:
    """What FFmpeg writes to. It hears of a failed write only when it closes, so the failure waits here for us."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self.failure: Exception | None = None

    def write(self, data: bytes) -> int:
        if self.failure is None:
            try:
                return self._appender.write(data)
            except Exception as error:
                self.failure = error
        return len(data)


class MatroskaFile:
    """One file with Opus and, when there is a `first_frame` that can begin it, video. Blocking; times in milliseconds."""

    def __init__(self, appender: Appender, codec: VideoCodec, first_frame: bytes | None) -> None:
        self._sink = _Sink(appender)
        template: Any = None
        if first_frame is not None and codec is VideoCodec.H264:
            template = _h264_template(first_frame)
        self._container: Any = av.open(self._sink, "w", format="matroska", options=OPTIONS)
        self._video: Any = None
        if template is not None:
            with template:
                self._video = self._container.add_stream_from_template(template.streams.video[0], opaque=True)
        elif first_frame is not None:
            width, height = vp8_size(first_frame)
            self._video = self._container.add_mux_stream("vp8", width=width, height=height)
        # the encoder only lends its OpusHead, which players want in the header; nothing is encoded
        self._audio: Any = self._container.add_stream("libopus", rate=48000)
        self._audio.codec_context.layout = "stereo"
        self._audio.codec_context.format = "flt"
        self._container.start_encoding()

    @property
    def has_video(self) -> bool:
        """Whether the file has a video track."""
        return self._video is not None

    def video(self, pts: int, data: bytes, *, key: bool) -> None:
        """Add a frame."""
        self._mux(self._video, pts, data, key=key)

    def audio(self, pts: int, data: bytes) -> None:
        """Add an Opus packet."""
        self._mux(self._audio, pts, data, key=True)

    def close(self) -> None:
        """Write what is pending; the file is whole."""
        self._container.close()
        self._check()

    def _mux(self, stream: Any, pts: int, data: bytes, *, key: bool) -> None:
        packet: Any = av.Packet(data)
        packet.pts = packet.dts = pts
        packet.time_base = MILLISECONDS
        packet.is_keyframe = key
        packet.stream = stream
        self._container.mux_one(packet)
        self._check()

    def _check(self) -> None:
        if self._sink.failure is not None:
            raise self._sink.failure


def _h264_template(frame: bytes) -> Any:
    """A demuxed look at the frame: FFmpeg reads the SPS, so that size and codec data are the real ones."""
    template = av.open(io.BytesIO(frame), format="h264")
    if not template.streams.video or not template.streams.video[0].codec_context.width:
        template.close()
        raise ValueError("the parameter sets give no picture size")
    return template
