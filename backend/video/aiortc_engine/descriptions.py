"""Session descriptions as aiortc reads them: what is accepted as an offer, and what was negotiated."""

from collections.abc import Mapping, Sequence

from aiortc import sdp
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from backend.video.descriptions import MAX_OFFER, without_candidates
from backend.video.engine import JoinRefused, VideoCodec

_H264_PROFILE = "42e01f"


def checked_offer(offer: str, kinds: Sequence[str]) -> str:
    """The offer without its candidates; `JoinRefused("bad_offer")` unless its m-lines are exactly `kinds`."""
    if len(offer) > MAX_OFFER:
        raise JoinRefused("bad_offer", "too long")
    try:
        parsed = sdp.SessionDescription.parse(offer)
    except Exception as error:  # the parser raises whatever it stumbles over
        raise JoinRefused("bad_offer", f"not a session description: {error}") from error
    if [media.kind for media in parsed.media] != list(kinds):
        raise JoinRefused("bad_offer", f"m-lines must be {' '.join(kinds)}")
    return without_candidates(offer)


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
