"""Session descriptions: what is accepted as an offer, and what is added to an answer that aiortc does not add.

m-lines are fixed and there is never a second negotiation, so an answer may be edited as text.
"""

import re
from collections.abc import Mapping, Sequence

from aiortc import sdp
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from backend.video.engine import JoinRefused, VideoCodec

MAX_OFFER = 65_536
OPUS_PARAMETERS = "minptime=10;useinbandfec=1"
VIDEO_PARAMETERS = "x-google-start-bitrate=500"
"""Chromium begins at 300 kbit/s and needs half a minute from there; whoever cannot send 500 was refused before the call."""
_OPUS = re.compile(r"a=rtpmap:(\d+) opus/48000/2$")
_VP8 = re.compile(r"a=rtpmap:(\d+) VP8/90000$")
_H264_PROFILE = "42e01f"


def checked_offer(offer: str, kinds: Sequence[str]) -> str:
    """The offer without its candidates; `JoinRefused("bad_offer")` unless its m-lines are exactly `kinds`.

    Only the browser opens the way: the server's address is public, its checks come from wherever the browser is. The
    browser's own candidates (private addresses, mDNS names) would only cost look-ups.
    """
    if len(offer) > MAX_OFFER:
        raise JoinRefused("bad_offer", "too long")
    try:
        parsed = sdp.SessionDescription.parse(offer)
    except Exception as error:  # the parser raises whatever it stumbles over
        raise JoinRefused("bad_offer", f"not a session description: {error}") from error
    if [media.kind for media in parsed.media] != list(kinds):
        raise JoinRefused("bad_offer", f"m-lines must be {' '.join(kinds)}")
    lines = [
        line for line in offer.splitlines() if not line.startswith(("a=candidate:", "a=end-of-candidates"))
    ]
    return "\r\n".join(lines) + "\r\n"


def finished_answer(answer: str, *, public_address: str, max_bitrate: int) -> str:
    """aiortc's answer with in-band FEC for Opus, a start and a ceiling for video and, behind NAT, the public address."""
    lines: list[str] = []
    video = False
    for line in answer.splitlines():
        if line.startswith("m="):
            video = line.startswith("m=video")
        if public_address and line.startswith(("c=IN", "a=candidate:")):
            seen = _with_public_address(line, public_address)
            if seen is None:
                continue
            lines.append(seen)
        else:
            lines.append(line)
        if video and line.startswith("c="):
            lines += [f"b=AS:{max_bitrate // 1000}", f"b=TIAS:{max_bitrate}"]
        elif found := _OPUS.match(line):
            lines.append(f"a=fmtp:{found[1]} {OPUS_PARAMETERS}")
        elif found := _VP8.match(line):
            lines.append(f"a=fmtp:{found[1]} {VIDEO_PARAMETERS}")
        elif line.startswith("a=fmtp:") and "profile-level-id" in line:
            lines[-1] = f"{line};{VIDEO_PARAMETERS}"
    return "\r\n".join(lines) + "\r\n"


def _with_public_address(line: str, public: str) -> str | None:
    """The line as the other side of the NAT sees it; None for a candidate of another address family."""
    if line.startswith("c=IN"):
        return f"c=IN {'IP6' if ':' in public else 'IP4'} {public}"
    words = line.split(" ")
    if (":" in words[4]) != (":" in public):
        return None
    words[4] = public
    return " ".join(words)


def payload_types(codecs: Sequence[RTCRtpCodecParameters]) -> tuple[int, int | None, int]:
    """Payload type of the media, of its retransmissions if there are any, and the clock rate."""
    media = codecs[0]
    rtx = next((codec for codec in codecs if codec.parameters.get("apt") == media.payloadType), None)
    return media.payloadType or 0, rtx.payloadType if rtx else None, media.clockRate


def wanted(codec: VideoCodec, mime_type: str, parameters: Mapping[str, object]) -> bool:
    """Whether a capability of aiortc belongs to a room of `codec`: the codec itself in one profile, and retransmission."""
    kind = mime_type.lower()
    if kind == "video/rtx":
        return True
    if kind != f"video/{codec.value.lower()}":
        return False
    return codec is not VideoCodec.H264 or parameters.get("profile-level-id") == _H264_PROFILE
