"""Structs of the imaging routes."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.imaging import rules
from contracts import his


class StudyView(msgspec.Struct, frozen=True):
    """One study; `study_id` is opaque, counts are 0 where the archive does not count."""

    study_id: str
    day: date | None
    modality: str
    description: str
    series: int
    instances: int


class StudiesView(msgspec.Struct, frozen=True):
    """Newest first."""

    studies: list[StudyView]


At = Annotated[int, Meta(ge=1, le=100_000)]


class FrameQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which picture, counted from 1, and through which of `rules.WINDOWS` (CT only)."""

    series: At = 1
    instance: At = 1
    frame: At = 1
    viewport: Annotated[int, Meta(ge=64, le=2_048)] = 1_024
    window: Annotated[str, Meta(pattern="^(lung|soft|bone|brain)?$")] = ""


class PlaceView(msgspec.Struct, frozen=True):
    """Where a picture stands."""

    series: int
    instance: int
    frame: int


class WindowView(msgspec.Struct, frozen=True):
    """A window that may be asked for."""

    key: str
    name: str


class FrameView(msgspec.Struct, frozen=True):
    """One picture (`content` in base64, `media_type` image/jpeg or image/png), for display only, and its neighbours."""

    media_type: str
    content: bytes
    day: date | None
    description: str
    modality: str
    series_description: str
    at: PlaceView
    series_count: int
    instance_count: int
    frame_count: int
    before: PlaceView | None
    after: PlaceView | None
    windows: list[WindowView]


def studies_view(reply: his.ImageStudiesReply) -> StudiesView:
    """From the gateway's answer."""
    return StudiesView(
        [
            StudyView(
                one.study_id, one.day, rules.modality_name(one.modality), one.description, one.series, one.instances
            )
            for one in reply.studies
        ]
    )  # fmt: skip


def frame_view(reply: his.ImageFrameReply) -> FrameView:
    """From the gateway's answer."""
    at = rules.Place(reply.series, reply.instance, reply.frame)
    extent = rules.Extent(reply.series_count, reply.instance_count, reply.frame_count)
    windows = rules.WINDOW_NAMES if reply.modality in rules.WINDOWED else {}
    return FrameView(
        media_type=reply.media_type, content=reply.content, day=reply.day, description=reply.description,
        modality=rules.modality_name(reply.modality), series_description=reply.series_description, at=_place(at),
        series_count=extent.series, instance_count=extent.instances, frame_count=extent.frames,
        before=_maybe(rules.before(at)), after=_maybe(rules.after(at, extent)),
        windows=[WindowView(key, name) for key, name in windows.items()],
    )  # fmt: skip


def _place(at: rules.Place) -> PlaceView:
    return PlaceView(at.series, at.instance, at.frame)


def _maybe(at: rules.Place | None) -> PlaceView | None:
    return None if at is None else _place(at)
