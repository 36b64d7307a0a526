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
_CANDIDATE = re.compile(r"^a=candidate:(\S+) (\d+) udp (\d+) (\S+) (\d+) typ host.*$", re.MULTILINE)
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
    """aiortc's answer with in-band FEC for Opus, a ceiling for video and, behind NAT, the public address."""
    sections = re.split(r"(?m)^(?=m=)", answer)
    done = [_section(section, max_bitrate) for section in sections]
    whole = "".join(done)
    if public_address:
        whole = _CANDIDATE.sub(lambda found: _public(found, public_address), whole)
        whole = _once_each(whole)
    return whole


def _section(section: str, max_bitrate: int) -> str:
    if section.startswith("m=audio"):
        return re.sub(
            r"(?m)^a=rtpmap:(\d+) opus/48000/2\r?$",
            lambda found: f"{found[0].rstrip()}\r\na=fmtp:{found[1]} {OPUS_PARAMETERS}\r",
            section,
        )
    if section.startswith("m=video"):
        limits = f"b=AS:{max_bitrate // 1000}\r\nb=TIAS:{max_bitrate}\r\n"
        return re.sub(r"(?m)^(c=.*\n)", lambda found: found[1] + limits, section, count=1)
    return section


def _public(found: re.Match[str], address: str) -> str:
    foundation, component, priority, _, port = found.groups()
    return f"a=candidate:{foundation} {component} udp {priority} {address} {port} typ host"


def _once_each(answer: str) -> str:
    """Several local addresses behind one public one would give the same candidate several times, with different ports: keep all ports, drop exact repeats."""
    kept: list[str] = []
    for line in answer.splitlines():
        if line.startswith("m="):
            seen: set[str] = set()
        if line.startswith("a=candidate:"):
            if line in seen:
                continue
            seen.add(line)
        kept.append(line)
    return "\r\n".join(kept) + "\r\n"


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
