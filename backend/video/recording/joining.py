"""Films from recordings: segments of one or both parties on one time line, nothing encoded anew.

Everything is placed by the wall clock of its segment's beginning. Where a party's connection was replaced, the newer
segment wins. Silence fills the holes of a voice, because players let a hole close and the voice run ahead of the picture.
Blocking: for a thread of its own.
"""

import contextlib
import hashlib
import heapq
import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import av
from av.error import FFmpegError

from backend.video.recording.film import Block, Plan, Track, written
from foundation.object_store import Damaged, NotThere, ObjectInfo, ObjectStore

SILENCE = b"\xf8\xff\xfe"
"""20 ms of nothing in Opus (RFC 6716)."""
FRAME_MS = 20
HOLE_MS = 3 * FRAME_MS
PRIMING_MS = 7
"""A block of Opus stands this much later than its sound: what a decoder swallows at its start (codec delay)."""
CODECS = {"vp8": "V_VP8", "h264": "V_MPEG4/ISO/AVC", "opus": "A_OPUS"}


@dataclass(frozen=True)
class Piece:
    """One segment as the manifest has it."""

    party: str
    object_key: str
    started_at: datetime
    sha256: str


@dataclass(frozen=True)
class Film:
    """What was made; `left_out` are the keys of pieces that are gone or were changed."""

    info: ObjectInfo
    duration_ms: int
    left_out: tuple[str, ...]


class NothingToJoin(Exception):
    """No piece is there and true."""


def join(store: ObjectStore, pieces: Sequence[Piece], names: dict[str, str], key: str) -> Film:
    """Make the film `key` of the parties in `names` (party → title of its tracks). `NothingToJoin`.

    `pieces` are all of the visit: every film of it begins with the first of them, so that two films run side by side.
    """
    tracks = {piece: _tracks(store, piece, names[piece.party]) for piece in pieces if piece.party in names}
    whole = [piece for piece, found in tracks.items() if found]
    if not whole:
        raise NothingToJoin
    start = min(piece.started_at for piece in pieces)
    voices = [voice for party in names for voice in _voices(store, whole, party, tracks, start)]
    plan = Plan(tuple(voice.track for voice in voices))
    for block in _merged(voices):
        plan.add(block)
    if not plan.clusters:
        raise NothingToJoin
    webm = all(track.codec != CODECS["h264"] for track in plan.tracks)
    appender = store.append(key)
    try:
        for part in written(plan, _merged(voices), webm=webm):
            appender.write(part)
        info = appender.close()
    finally:
        appender.discard()
    left_out = tuple(piece.object_key for piece, found in tracks.items() if not found)
    return Film(info, plan.duration, left_out)


def _is_true(store: ObjectStore, piece: Piece) -> bool:
    """Whether the stored bytes are those of the manifest."""
    digest = hashlib.sha256()
    try:
        for chunk in store.chunks(piece.object_key):
            digest.update(chunk)
    except (NotThere, Damaged):
        return False
    return digest.hexdigest() == piece.sha256


@dataclass(frozen=True)
class _Placed:
    """A piece on the film's time line, in milliseconds: what comes at `until` or later is the next piece's."""

    piece: Piece
    at: int
    until: float


class _Voice:
    """One kind of media of one party: its track, and its blocks as often as they are asked for."""

    def __init__(self, store: ObjectStore, placed: Sequence[_Placed], track: Track) -> None:
        self._store = store
        self._placed = placed
        self.track = track

    def blocks(self, number: int) -> Iterator[Block]:
        """In order of time."""
        found = self._found(number)
        return found if self.track.video else _without_holes(found, number)

    def _found(self, number: int) -> Iterator[Block]:
        kind, last = "video" if self.track.video else "audio", -1
        for one in self._placed:
            for at, key, data in _frames(self._store, one.piece, kind):
                place = at + one.at
                if place >= one.until:
                    break
                last = max(place, last + 1)
                yield Block(number, last, key, data)


def _voices(
    store: ObjectStore,
    pieces: Sequence[Piece],
    party: str,
    tracks: dict[Piece, dict[str, Track]],
    start: datetime,
) -> list[_Voice]:
    own = sorted((piece for piece in pieces if piece.party == party), key=lambda piece: piece.started_at)
    if not own:
        return []
    places = [round((piece.started_at - start).total_seconds() * 1000) for piece in own]
    placed = [
        _Placed(piece, at, until)
        for piece, at, until in zip(own, places, [*places[1:], float("inf")], strict=True)
    ]
    voices = []
    for kind in ("video", "audio"):
        with_it = [one for one in placed if kind in tracks[one.piece]]
        if with_it:
            voices.append(_Voice(store, with_it, tracks[with_it[0].piece][kind]))
    return voices


def _merged(voices: Sequence[_Voice]) -> Iterator[Block]:
    return heapq.merge(
        *(voice.blocks(number) for number, voice in enumerate(voices)), key=lambda block: block.at
    )


def _without_holes(blocks: Iterator[Block], number: int) -> Iterator[Block]:
    expected = 0
    for block in blocks:
        if block.at - expected >= HOLE_MS:
            for at in range(expected, block.at - FRAME_MS // 2, FRAME_MS):
                yield Block(number, at, True, SILENCE)
        yield block
        expected = block.at + FRAME_MS


def _tracks(store: ObjectStore, piece: Piece, name: str) -> dict[str, Track]:
    """Tracks by kind; none when the piece is gone, was changed or was cut off before its first frame."""
    if not _is_true(store, piece):
        return {}
    found: dict[str, Track] = {}
    with contextlib.suppress(FFmpegError), _opened(store, piece) as container:
        for stream in container.streams:
            context = stream.codec_context
            found[stream.type] = Track(
                stream.type == "video", CODECS[context.name], name, bytes(context.extradata or b""),
                getattr(context, "width", 0) or 0, getattr(context, "height", 0) or 0,
            )  # fmt: skip
    return found


def _frames(store: ObjectStore, piece: Piece, kind: str) -> Iterator[tuple[int, bool, bytes]]:
    """Milliseconds, whether it is a keyframe, bytes; up to the cut where the file has no end."""
    with _opened(store, piece) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        try:
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size:
                    at = round(packet.pts * float(packet.time_base) * 1000)
                    if kind == "audio":
                        at += PRIMING_MS
                    yield max(at, 0), packet.is_keyframe or kind == "audio", bytes(packet)
        except FFmpegError:
            return


def _opened(store: ObjectStore, piece: Piece) -> Any:
    return closing(av.open(_Pipe(store.chunks(piece.object_key)), format="matroska"))


class _Pipe(io.RawIOBase):
    """Chunks as a file that is read once from its beginning."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
