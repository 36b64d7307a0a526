"""A Matroska file for viewing: length and cues stand at its beginning, so that a browser can jump (RFC 9559).

Recordings are written without ever going back, hence without either. A film is written in one go as well, but in a second
pass: the plan of the first says how large every cluster will be.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from backend.video.recording.ebml import element, head, real, size_of, text, unsigned

TIMESCALE = 1_000_000
LONGEST_CLUSTER = 5_000
"""Milliseconds; a block's time within its cluster is a signed 16-bit number."""
SHORTEST_CLUSTER = 1_000
CODEC_DELAY, PRE_ROLL = 6_500_000, 80_000_000
"""Of Opus, in nanoseconds: what a decoder swallows at its start, and what it needs before a jump's target."""
_EBML, _SEGMENT, _SEEK_HEAD, _INFO, _TRACKS, _CUES, _CLUSTER = (
    0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1F43B675,
)  # fmt: skip
_SIMPLE_BLOCK, _CLUSTER_TIME = 0xA3, 0xE7
_KEY = 0x80


@dataclass(frozen=True)
class Track:
    """One track of a film. `codec` is Matroska's name; `private` its codec data."""

    video: bool
    codec: str
    name: str
    private: bytes = b""
    width: int = 0
    height: int = 0


class Block(NamedTuple):
    """One frame: track from 0, milliseconds from the film's beginning, whether it needs no other."""

    track: int
    at: int
    key: bool
    data: bytes


@dataclass
class _Cluster:
    at: int
    size: int = 0
    blocks: int = 0
    cue_track: int = -1


@dataclass
class Plan:
    """What the first pass found: clusters with their sizes. Blocks come in order of time."""

    tracks: tuple[Track, ...]
    clusters: list[_Cluster] = field(default_factory=list)
    duration: int = 0

    def add(self, block: Block) -> None:
        """Count one block."""
        cluster = self.clusters[-1] if self.clusters else None
        video_key = block.key and self.tracks[block.track].video
        if cluster is None or self._begins(cluster, block.at, video_key=video_key):
            cluster = _Cluster(block.at, cue_track=block.track)
            self.clusters.append(cluster)
        cluster.size += _block_size(len(block.data))
        cluster.blocks += 1
        self.duration = max(self.duration, block.at + 1)

    @staticmethod
    def _begins(cluster: _Cluster, at: int, *, video_key: bool) -> bool:
        age = at - cluster.at
        return age >= LONGEST_CLUSTER or (video_key and age >= SHORTEST_CLUSTER)


def written(plan: Plan, blocks: Iterable[Block], *, webm: bool) -> Iterator[bytes]:
    """The file, piece by piece; `blocks` are those that were planned. `ValueError` when they are not."""
    info, tracks = _info(plan.duration), element(_TRACKS, *_entries(plan.tracks))
    cues = _cues(plan, 0)
    seek_head = _seek_head(0, 0, 0)
    after_head = len(seek_head)
    places = after_head, after_head + len(info), after_head + len(info) + len(tracks)
    seek_head = _seek_head(*places)
    first_cluster = places[2] + len(cues)
    cues = _cues(plan, first_cluster)
    length = first_cluster + sum(_cluster_size(cluster) for cluster in plan.clusters)
    yield _header(webm=webm) + head(_SEGMENT, length, 8) + seek_head + info + tracks + cues
    yield from _clusters(plan, blocks)


def _clusters(plan: Plan, blocks: Iterable[Block]) -> Iterator[bytes]:
    source = iter(blocks)
    for cluster in plan.clusters:
        parts = [_cluster_head(cluster)]
        size = 0
        for _ in range(cluster.blocks):
            block = next(source, None)
            if block is None:
                raise ValueError("fewer blocks than were planned")
            content = _block_head(block, cluster.at) + block.data
            size += _block_size(len(block.data))
            parts.append(head(_SIMPLE_BLOCK, len(content)) + content)
        if size != cluster.size:
            raise ValueError("other blocks than were planned")
        yield b"".join(parts)
    if next(source, None) is not None:
        raise ValueError("more blocks than were planned")


def _block_head(block: Block, cluster_at: int) -> bytes:
    at = (block.at - cluster_at).to_bytes(2, "big", signed=True)
    return size_of(block.track + 1) + at + bytes([_KEY if block.key else 0])


def _block_size(data: int) -> int:
    content = 4 + data
    return 1 + len(size_of(content)) + content


def _cluster_head(cluster: _Cluster) -> bytes:
    time = unsigned(_CLUSTER_TIME, cluster.at, 8)
    return head(_CLUSTER, len(time) + cluster.size, 8) + time


def _cluster_size(cluster: _Cluster) -> int:
    return len(_cluster_head(cluster)) + cluster.size


def _header(*, webm: bool) -> bytes:
    return element(
        _EBML, unsigned(0x4286, 1), unsigned(0x42F7, 1), unsigned(0x42F2, 4), unsigned(0x42F3, 8),
        text(0x4282, "webm" if webm else "matroska"), unsigned(0x4287, 4), unsigned(0x4285, 2),
    )  # fmt: skip


def _seek_head(info: int, tracks: int, cues: int) -> bytes:
    seeks = [
        element(0x4DBB, element(0x53AB, identity.to_bytes(4, "big")), unsigned(0x53AC, place, 8))
        for identity, place in ((_INFO, info), (_TRACKS, tracks), (_CUES, cues))
    ]
    return element(_SEEK_HEAD, *seeks)


def _info(duration: int) -> bytes:
    name = "internet-hospital"
    return element(
        _INFO,
        unsigned(0x2AD7B1, TIMESCALE),
        real(0x4489, float(duration)),
        text(0x4D80, name),
        text(0x5741, name),
    )


def _entries(tracks: tuple[Track, ...]) -> Iterator[bytes]:
    for number, track in enumerate(tracks, 1):
        parts = [
            unsigned(0xD7, number), unsigned(0x73C5, number), unsigned(0x83, 1 if track.video else 2), unsigned(0x9C, 0),
            text(0x22B59C, "und"), text(0x536E, track.name), text(0x86, track.codec),
        ]  # fmt: skip
        if track.private:
            parts.append(element(0x63A2, track.private))
        if track.video:
            parts.append(element(0xE0, unsigned(0xB0, track.width), unsigned(0xBA, track.height)))
        else:
            parts += [unsigned(0x56AA, CODEC_DELAY), unsigned(0x56BB, PRE_ROLL)]
            parts.append(element(0xE1, real(0xB5, 48000.0), unsigned(0x9F, 2)))
        yield element(0xAE, *parts)


def _cues(plan: Plan, first_cluster: int) -> bytes:
    points, place = [], first_cluster
    for cluster in plan.clusters:
        position = element(0xB7, unsigned(0xF7, cluster.cue_track + 1), unsigned(0xF1, place, 8))
        points.append(element(0xBB, unsigned(0xB3, cluster.at, 8), position))
        place += _cluster_size(cluster)
    return element(_CUES, *points)
