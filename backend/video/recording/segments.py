"""The recording of one connection, as the writer thread sees it: packets in, frames assembled, files written.

Nothing here touches the event loop. The loop's side is `recorder.py`.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from backend.video.engine import Segment, VideoCodec
from backend.video.recording.assembler import AudioAssembler, Frame, Packet, VideoAssembler
from backend.video.recording.matroska import MatroskaFile, can_begin
from backend.video.recording.payloads import payload_format
from backend.video.recording.timeline import Source, Timeline
from foundation.object_store import Appender, ObjectStore

WAIT_FOR_VIDEO = 3.0
"""Seconds of audio held back until the first keyframe; then the file begins without video."""
SETTLE = 0.7
"""Seconds held back at the start of a file: by then some packets came without delay, or the sender reported."""
RETRY_AFTER = 5.0
KEYFRAME_PERIOD = 20.0
"""Seconds after which a keyframe is asked for although none is needed: browsers send none by themselves, and a player can
only jump to one."""


class Report(NamedTuple):
    """A sender report: its clock showed `sender_time` seconds at the (unwrapped) `timestamp`."""

    sender_time: float
    timestamp: int


Taken = tuple[Source, Packet | Report]
"""One packet or report as the loop passes it over."""


@dataclass
class Outcome:
    """What the loop has to know after a batch."""

    wants_keyframe: bool = False
    opened: list[Segment] = field(default_factory=list)
    closed: list[Segment] = field(default_factory=list)
    problem: str = ""


NewSegment = Callable[[datetime], Segment]
"""Makes the next manifest line for a wall-clock start."""


class SegmentFile:
    """One file being written."""

    def __init__(
        self, store: ObjectStore, segment: Segment, codec: VideoCodec, first_frame: bytes | None
    ) -> None:
        self.segment = segment
        self._appender: Appender = store.append(segment.object_key)
        try:
            self._file = MatroskaFile(self._appender, codec, first_frame)
        except BaseException:
            self._appender.abandon()
            raise
        self._first: int | None = None
        self._last = self._video = self._audio = 0

    @property
    def has_video(self) -> bool:
        """Whether video can be added."""
        return self._file.has_video

    def add(self, kind: str, pts: int, frame: Frame) -> None:
        """Mux one frame."""
        if kind == "video":
            self._file.video(pts, frame.data, key=frame.key)
            self._video += 1
        else:
            self._file.audio(pts, frame.data)
            self._audio += 1
        self._first = pts if self._first is None else min(self._first, pts)
        self._last = max(self._last, pts)

    def flush(self) -> None:
        """What was muxed survives the process."""
        self._appender.flush()

    def close(self, reason: str) -> Segment:
        """End the file; the finished manifest line."""
        try:
            self._file.close()
            info = self._appender.close()
        except BaseException:
            self._appender.abandon()
            raise
        return self._line(reason, info.size, info.sha256)

    def abandon(self, reason: str) -> Segment:
        """Keep what is there, without an end."""
        info = self._appender.abandon()
        return self._line(reason, info.size, info.sha256)

    def _line(self, reason: str, size: int, sha256: str) -> Segment:
        return dataclasses.replace(
            self.segment, first_pts_ms=self._first or 0, last_pts_ms=self._last, video_frames=self._video,
            audio_frames=self._audio, bytes=size, sha256=sha256, close_reason=reason,
        )  # fmt: skip


class Segments:
    """All files of one connection, one after the other."""

    def __init__(
        self,
        store: ObjectStore,
        codec: VideoCodec,
        new_segment: NewSegment,
        wall_clock: Callable[[float], datetime],
    ) -> None:
        self._store = store
        self._codec = codec
        self._new_segment = new_segment
        self._wall_clock = wall_clock
        self._assemblers: dict[str, VideoAssembler | AudioAssembler] = {
            "video": VideoAssembler(payload_format(codec)),
            "audio": AudioAssembler(),
        }
        self._sources: dict[str, Source] = {}
        self._timeline: Timeline | None = None
        self._origin = 0.0
        self._held: list[tuple[Source, Frame]] = []
        self._first_frame: bytes | None = None
        self._file: SegmentFile | None = None
        self._retry_at = 0.0
        self._keyframe_at = math.inf
        self._ended = False

    def write(self, batch: Sequence[Taken], now: float) -> Outcome:
        """Take a batch; failures end the present file and are told, never raised."""
        outcome = Outcome()
        if self._ended:
            return outcome
        try:
            self._assemble(batch, now, outcome)
            if self._file is not None:
                self._file.flush()
        except Exception as error:
            self._fail(error, now, outcome)
        outcome.wants_keyframe = "video" in self._sources and (
            self._assemblers["video"].needs_keyframe or now - self._keyframe_at > KEYFRAME_PERIOD
        )
        return outcome

    def end(self, batch: Sequence[Taken], now: float, reason: str) -> Outcome:
        """The last batch; closed for good afterwards: whatever comes later is ignored."""
        outcome = self.write(batch, now)
        if self._ended:
            return outcome
        self._ended = True
        try:
            self._drain(now, outcome, last=True)
            if self._file is None and self._held and now >= self._retry_at:
                self._open(outcome)
            self._close(reason, outcome)
        except Exception as error:
            self._fail(error, now, outcome)
        return outcome

    def _assemble(self, batch: Sequence[Taken], now: float, outcome: Outcome) -> None:
        for source, taken in batch:
            if isinstance(taken, Report):
                if self._timeline is not None:
                    self._timeline.report(source, taken.sender_time, taken.timestamp)
                continue
            if self._timeline is None:
                self._origin = taken.arrival
                self._timeline = Timeline(self._origin)
            if self._sources.get(source.kind) is not source:
                self._change_source(source, now, outcome)
            self._timeline.packet(source, taken.timestamp, taken.arrival)
            self._assemblers[source.kind].push(taken)
        self._drain(now, outcome)

    def _change_source(self, source: Source, now: float, outcome: Outcome) -> None:
        """Another SSRC: what the old one left is written first, then everything about it is forgotten."""
        present = self._sources.get(source.kind)
        self._sources[source.kind] = source
        if present is None or present == source:
            return
        self._sources[source.kind] = present
        self._drain(now, outcome)
        self._sources[source.kind] = source
        self._assemblers[source.kind] = (
            VideoAssembler(payload_format(self._codec)) if source.kind == "video" else AudioAssembler()
        )

    def _drain(self, now: float, outcome: Outcome, *, last: bool = False) -> None:
        """Write the frames that are whole; with `last` nothing is waited for any more."""
        if self._timeline is None:
            return
        for source in list(self._sources.values()):
            for frame in self._assemblers[source.kind].pop(math.inf if last else now):
                self._frame(source, frame, now, outcome)
        if self._file is None and self._held and now >= self._retry_at and self._settled(now):
            self._open(outcome)

    def _settled(self, now: float) -> bool:
        return now - self._origin > (WAIT_FOR_VIDEO if self._first_frame is None else SETTLE)

    def _frame(self, source: Source, frame: Frame, now: float, outcome: Outcome) -> None:
        if source.kind == "video" and not self._has_video:
            if now < self._retry_at:
                return
            if not can_begin(self._codec, frame.data, key=frame.key):
                self._assemblers["video"].needs_keyframe = True
                return
            if self._file is not None:
                self._restart("video_started", frame.arrival, outcome)
            self._first_frame = frame.data
        if source.kind == "video" and frame.key:
            self._keyframe_at = now
        if self._file is None:
            self._held.append((source, frame))
        else:
            self._add(self._file, source, frame)

    @property
    def _has_video(self) -> bool:
        return self._first_frame is not None if self._file is None else self._file.has_video

    def _add(self, file: SegmentFile, source: Source, frame: Frame) -> None:
        assert self._timeline is not None
        file.add(source.kind, self._timeline.place(source, frame.timestamp, frame.arrival), frame)

    def _restart(self, reason: str, origin: float, outcome: Outcome) -> None:
        assert self._timeline is not None
        self._close(reason, outcome)
        self._origin = origin
        self._timeline.begin_anew(origin)

    def _open(self, outcome: Outcome) -> None:
        segment = self._new_segment(self._wall_clock(self._origin))
        file = self._file = SegmentFile(self._store, segment, self._codec, self._first_frame)
        outcome.opened.append(segment)
        held, self._held, self._first_frame = self._held, [], None
        for source, frame in held:
            self._add(file, source, frame)

    def _close(self, reason: str, outcome: Outcome) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            outcome.closed.append(file.close(reason))

    def _fail(self, error: Exception, now: float, outcome: Outcome) -> None:
        """The disk is full, the key is taken, the muxer refuses: keep what there is, try again a little later."""
        outcome.problem = f"{type(error).__name__}: {error}"
        self._retry_at = now + RETRY_AFTER
        self._held.clear()
        self._first_frame = None
        self._assemblers["video"].needs_keyframe = True
        self._timeline = None
        file, self._file = self._file, None
        if file is not None:
            try:
                outcome.closed.append(file.abandon("write_failed"))
            except Exception as second:
                outcome.closed.append(dataclasses.replace(file.segment, close_reason="write_failed"))
                outcome.problem += f"; {type(second).__name__}: {second}"


def wall_clock(now: Callable[[], datetime], loop_time: Callable[[], float]) -> Callable[[float], datetime]:
    """Instants of the event loop's clock as times of day."""

    def at(instant: float) -> datetime:
        return now() - timedelta(seconds=loop_time() - instant)

    return at
