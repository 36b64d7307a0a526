"""Session descriptions as text: what is taken out of an offer, and what is added to an answer.

m-lines are fixed and what was answered is never negotiated again, so an answer may be edited.
"""

import re

MAX_OFFER = 65_536
OPUS_PARAMETERS = "minptime=10;useinbandfec=1"
VIDEO_PARAMETERS = "x-google-start-bitrate=500"
"""Chromium begins at 300 kbit/s and needs half a minute from there; whoever cannot send 500 was refused before the call."""
_OPUS = re.compile(r"a=rtpmap:(\d+) opus/48000/2$")
_VP8 = re.compile(r"a=rtpmap:(\d+) VP8/90000$")


def kinds(description: str) -> list[str]:
    """Kinds of its m-lines, in order."""
    return re.findall(r"^m=(\w+) ", description, re.MULTILINE)


def without_candidates(offer: str) -> str:
    """Only the browser opens the way: the server's address is public, its checks come from wherever the browser is. The
    browser's own candidates (private addresses, mDNS names) would only cost look-ups.
    """
    lines = [
        line for line in offer.splitlines() if not line.startswith(("a=candidate:", "a=end-of-candidates"))
    ]
    return "\r\n".join(lines) + "\r\n"


def finished_answer(
    answer: str, *, public_address: str, max_bitrate: int, voice: str = OPUS_PARAMETERS
) -> str:
    """An engine's answer with parameters for Opus, in-band FEC among them, a start and a ceiling for video and, behind NAT, the
    public address.
    """
    opus = {found[1] for line in answer.splitlines() if (found := _OPUS.match(line))}
    lines: list[str] = []
    video = False
    for line in answer.splitlines():
        if line.startswith("m="):
            video = line.startswith("m=video")
        if line.startswith("a=fmtp:") and line[7:].split(" ")[0] in opus:
            continue
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
            lines.append(f"a=fmtp:{found[1]} {voice}")
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
