import pytest
from aiortc import sdp

from backend.video.aiortc_engine.descriptions import checked_offer
from backend.video.descriptions import finished_answer
from backend.video.engine import JoinRefused

KINDS = ["audio", "video"]
ANSWER = """v=0\r
o=- 1 1 IN IP4 0.0.0.0\r
s=-\r
t=0 0\r
a=group:BUNDLE 0 1\r
m=audio 40000 UDP/TLS/RTP/SAVPF 96\r
c=IN IP4 10.1.2.3\r
a=mid:0\r
a=rtpmap:96 opus/48000/2\r
a=candidate:aa 1 udp 2130706431 10.1.2.3 40000 typ host\r
a=candidate:bb 1 udp 2130706431 fd00::3 40001 typ host\r
a=end-of-candidates\r
a=ice-ufrag:abcd\r
a=ice-pwd:abcdefghijklmnopqrstuv\r
m=video 40000 UDP/TLS/RTP/SAVPF 97 98\r
c=IN IP4 10.1.2.3\r
a=mid:1\r
a=rtpmap:97 VP8/90000\r
a=rtpmap:98 rtx/90000\r
a=fmtp:98 apt=97\r
a=candidate:aa 1 udp 2130706431 10.1.2.3 40000 typ host\r
a=ice-ufrag:abcd\r
a=ice-pwd:abcdefghijklmnopqrstuv\r
"""


def finished(public: str = "") -> list[str]:
    return finished_answer(ANSWER, public_address=public, max_bitrate=1_200_000).splitlines()


def test_opus_is_asked_to_repair_itself() -> None:
    assert "a=fmtp:96 minptime=10;useinbandfec=1" in finished()
    parsed = sdp.SessionDescription.parse("\r\n".join(finished()) + "\r\n")
    assert parsed.media[0].rtp.codecs[0].parameters == {"minptime": 10, "useinbandfec": 1}


def test_an_engine_may_ask_for_another_voice_whatever_the_answer_said() -> None:
    said = ANSWER.replace("opus/48000/2\r\n", "opus/48000/2\r\na=fmtp:96 stereo=1\r\n")

    lines = finished_answer(said, public_address="", max_bitrate=1, voice="cbr=1").splitlines()

    assert [line for line in lines if line.startswith("a=fmtp:96 ")] == ["a=fmtp:96 cbr=1"]


def test_video_has_a_ceiling_and_a_start() -> None:
    lines = finished()

    assert lines.count("b=AS:1200") == 1
    assert lines.index("b=AS:1200") > lines.index("m=video 40000 UDP/TLS/RTP/SAVPF 97 98")
    assert "a=fmtp:97 x-google-start-bitrate=500" in lines
    assert "a=fmtp:98 apt=97" in lines


def test_behind_nat_only_the_public_address_is_shown() -> None:
    text = "\n".join(finished("203.0.113.7"))

    assert text.count("203.0.113.7 40000 typ host") == 2
    assert "c=IN IP4 203.0.113.7" in text
    assert "10.1.2.3" not in text
    assert "fd00::3" not in text


def test_without_nat_the_addresses_stay() -> None:
    assert "a=candidate:bb 1 udp 2130706431 fd00::3 40001 typ host" in finished()


def test_an_offer_loses_its_candidates() -> None:
    offer = checked_offer(ANSWER, KINDS)

    assert "candidate" not in offer
    assert [media.kind for media in sdp.SessionDescription.parse(offer).media] == KINDS


@pytest.mark.parametrize(
    "offer",
    [
        "", "hello", "v=0\r\n", ANSWER[: len(ANSWER) // 2], ANSWER.replace("m=audio", "m=video"), ANSWER + ANSWER.split("t=0 0\r\n")[1],
        ANSWER + "a=x:" + "y" * 70_000, "m=audio x y z\r\n", ANSWER.replace("udp 2130706431", "udp"), "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    ],
)  # fmt: skip
def test_anything_but_audio_and_video_is_refused(offer: str) -> None:
    with pytest.raises(JoinRefused) as refused:
        checked_offer(offer, KINDS)
    assert refused.value.code == "bad_offer"
