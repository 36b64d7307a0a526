"""Messages of the signalling WebSocket, and what the API says about rooms."""

from typing import Any

import msgspec

from backend.video.turn import IceServer

PURPOSE = "signalling"
"""Of a ticket that opens a room."""


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="offer"):
    """The first message: the browser's session description."""

    sdp: str


class Bye(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="bye"):
    """The participant leaves on purpose."""


FromBrowser = Offer | Bye


class RoomEntry(msgspec.Struct, frozen=True):
    """One way in: the address, the single-use ticket that opens it within `seconds`, and the relays for the browser."""

    url: str
    ticket: str
    seconds: int
    ice_servers: list[IceServer]


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
    "closed": "视频已结束",
    "too_slow": "等待时间过长，请重新进入视频",
}
"""Every error code that a browser may get, with what the user reads."""


def answer(sdp: str) -> dict[str, Any]:
    """The reply to an offer."""
    return {"type": "answer", "sdp": sdp}


def connect(url: str, token: str) -> dict[str, Any]:
    """The reply to an offer of an engine that the browser reaches by itself."""
    return {"type": "connect", "url": url, "token": token}


def peer(state: str, role: str) -> dict[str, Any]:
    """What happens to somebody else: `joined`, `left`, `media_lost`, `media_back`."""
    return {"type": "peer", "state": state, "role": role}


def watched(watching: bool) -> dict[str, Any]:
    """Whether a supervisor looks in, for those who are to be told."""
    return {"type": "watched", "watching": watching}


def error(code: str) -> dict[str, Any]:
    """Why it does not go on."""
    return {"type": "error", "code": code, "detail": DETAILS[code]}
