"""Messages of the signalling WebSocket, and what the API says about rooms."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.video import rules
from backend.video.model import LookIn, Recording, RecordingFilm, RecordingHold, RecordingView
from backend.video.turn import IceServer

PURPOSE = "signalling"
"""Of a ticket that opens a room."""


PROBE = "probe"
"""Of a ticket that measures the way to a media process."""


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="offer"):
    """The first message: the browser's session description. Who has neither camera nor microphone says that she only listens."""

    sdp: str
    listens: bool = False


class Bye(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="bye"):
    """The participant leaves on purpose."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="answer"):
    """To an offer of the server."""

    sdp: str


FromBrowser = Offer | Answer | Bye


class RoomEntry(msgspec.Struct, frozen=True):
    """One way in: the address, the single-use ticket that opens it within `seconds`, and the relays for the browser."""

    url: str
    ticket: str
    seconds: int
    ice_servers: list[IceServer]


class ProbeEntry(msgspec.Struct, frozen=True):
    """Where the network is measured: the address and the single-use ticket that opens it within `seconds`."""

    url: str
    ticket: str
    seconds: int


class ProbeView(msgspec.Struct, frozen=True):
    """What the last check found, bit/s and milliseconds; None: none lately. Not `enough`: the room is refused."""

    up: int | None
    down: int | None
    round_trip_ms: int | None
    least: int
    enough: bool
    detail: str


Reason = Annotated[str, Meta(max_length=rules.LONGEST_REASON)]


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something about recordings or a look-in is asked for."""

    reason: Reason


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """About being recorded, having read the text of `version`. To refuse what was agreed to is to take it back."""

    decision: rules.Decision
    version: Annotated[str, Meta(max_length=20)]


class ConsentView(msgspec.Struct, frozen=True):
    """What is to be read before, and what was decided: empty, given, refused or withdrawn."""

    version: str
    text: list[str]
    decision: str


class OpenView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To look at a visit's recordings."""

    purpose: rules.Purpose
    reason: Reason


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose picture and voice."""

    watches: Annotated[str, Meta(pattern="^(patient|doctor)$")]


class LookInView(msgspec.Struct, frozen=True):
    """A permission to look in; `POST /look-ins/{id}/tickets` opens one connection per party."""

    id: UUID
    encounter_id: UUID
    opened_at: datetime
    ends_at: datetime
    shown: bool


class SegmentView(msgspec.Struct, frozen=True):
    """A line of a recording's manifest."""

    id: UUID
    role: str
    segment: int
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int
    bytes: int
    sha256: str
    complete: bool
    close_reason: str
    deleted_at: datetime | None


class HoldView(msgspec.Struct, frozen=True):
    """A legal hold."""

    reason: str
    placed_at: datetime


class ManifestView(msgspec.Struct, frozen=True):
    """What was recorded of a visit; to be kept at least up to `kept_until`, longer under a hold."""

    encounter_id: UUID
    kept_until: date | None
    hold: HoldView | None
    segments: list[SegmentView]


class FilmView(msgspec.Struct, frozen=True):
    """A film: `ready`, or being made, or not to be made for the reason in `problem`."""

    track: str
    ready: bool
    bytes: int
    duration_ms: int
    problem: str


class RecordingViewView(msgspec.Struct, frozen=True):
    """A look at recordings with the films there are."""

    id: UUID
    encounter_id: UUID
    ends_at: datetime
    films: list[FilmView]


DETAILS = {
    "ticket_invalid": "视频入口已失效，请返回上一页重新进入",
    "bad_message": "视频连接出错，请刷新页面后重试",
    "bad_offer": "您的浏览器无法建立视频，请更新浏览器或换一个浏览器",
    "codec_not_offered": "您的浏览器不支持视频所用的编码，请更新浏览器或换一个浏览器",
    "already_joined": "您已在视频中",
    "role_taken": "另一位用户正以相同身份在视频中",
    "room_full": "旁观人数已满",
    "no_room": "视频已结束",
    "busy": "当前视频人数较多，请稍后再试，或先用文字交流",
    "unavailable": "视频暂时无法使用，请稍后再试，或先用文字交流",
    "moving": "视频正在切换线路，请稍候",
    "replaced": "您已在另一台设备或页面进入视频",
    "media_ended": "视频中断，正在重新连接",
    "kicked": "您已被移出视频",
    "time_over": "视频时间已到",
    "closed": "问诊已结束，视频已关闭",
    "no_consent": "患者已不同意录像，视频已结束，可以继续用文字交流",
    "too_slow": "等待时间过长，请重新进入视频",
}
"""Every error code that a browser may get, with what the user reads."""


def answer(sdp: str) -> dict[str, Any]:
    """The reply to an offer."""
    return {"type": "answer", "sdp": sdp}


def offer(sdp: str) -> dict[str, Any]:
    """What somebody else sends, on a connection of its own that replaces the one before."""
    return {"type": "offer", "sdp": sdp}


def wait() -> dict[str, Any]:
    """The browser's own offer is not needed, the server makes one."""
    return {"type": "wait"}


def connect(url: str, token: str) -> dict[str, Any]:
    """The reply to an offer of an engine that the browser reaches by itself."""
    return {"type": "connect", "url": url, "token": token}


def peer(state: str, role: str) -> dict[str, Any]:
    """What happens to somebody else: `joined`, `listens` (sees and hears, and sends nothing), `left`, `media_lost`, `media_back`."""
    return {"type": "peer", "state": state, "role": role}


def watched(watching: bool) -> dict[str, Any]:
    """Whether a supervisor looks in, for those who are to be told."""
    return {"type": "watched", "watching": watching}


def recording(state: str) -> dict[str, Any]:
    """Whether the parties are being recorded: `on`, `failed`, `off`."""
    return {"type": "recording", "state": state}


def time_left(minutes: int | None) -> dict[str, Any]:
    """The time to talk ends soon; None: not so soon after all, it was prolonged."""
    return {"type": "time", "minutes": minutes}


def error(code: str) -> dict[str, Any]:
    """Why it does not go on."""
    return {"type": "error", "code": code, "detail": DETAILS[code]}


def probe_view(measured: rules.Measured | None, least: int) -> ProbeView:
    """With the words for the user."""
    if measured is None:
        return ProbeView(None, None, None, least, True, "没有测出网速")
    issues = rules.network_issues(measured, least)
    slow = measured.round_trip_ms > rules.SLOW_ROUND_TRIP_MS
    words = "；".join(issue.message for issue in issues) or (
        "网速够用，但延迟较大，说话请稍等对方" if slow else "网络良好"
    )
    return ProbeView(measured.up, measured.down, measured.round_trip_ms, least, not issues, words)


def look_in_view(row: LookIn) -> LookInView:
    """From the row."""
    return LookInView(row.id, row.encounter_id, row.opened_at, row.ends_at, row.shown)


def segment_view(row: Recording) -> SegmentView:
    """From the row."""
    return SegmentView(
        row.id, row.role, row.segment, row.started_at, row.ended_at, row.duration_ms, row.bytes, row.sha256, row.complete,
        row.close_reason, row.deleted_at,
    )  # fmt: skip


def manifest_view(encounter_id: UUID, rows: list[Recording], hold: RecordingHold | None) -> ManifestView:
    """From the rows."""
    return ManifestView(
        encounter_id,
        max((rules.last_kept_day(row.started_at) for row in rows), default=None),
        HoldView(hold.reason, hold.placed_at) if hold else None,
        [segment_view(row) for row in rows],
    )


def recording_view(row: RecordingView, films: dict[str, RecordingFilm]) -> RecordingViewView:
    """From the rows."""
    found = [
        FilmView(film.track, film.ready_at is not None, film.bytes, film.duration_ms, film.problem)
        for _, film in sorted(films.items())
    ]
    return RecordingViewView(row.id, row.encounter_id, row.ends_at, found)
