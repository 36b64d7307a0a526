"""MSH-18 (HL7 table 0211): which letters a message is written in."""

from enum import StrEnum


class Charset(StrEnum):
    """A system's own, for what is sent to it and for messages of it that name none."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


class BadCharset(Exception):
    """MSH-18 names letters that are not known here, or the bytes are not written in them."""


NAMES = {Charset.UTF_8: "UNICODE UTF-8", Charset.GB18030: "GB 18030-2000"}
"""As table 0211 spells them."""
_KNOWN = {
    "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8", "UNICODE": "utf-8", "ASCII": "ascii", "8859/1": "latin-1",
    "GB 18030-2000": "gb18030", "GB18030": "gb18030", "GB18030-2000": "gb18030", "GBK": "gb18030", "GB2312": "gb18030",
}  # fmt: skip
PLACE = 17
"""MSH-18 counted from MSH-1, which is the separator itself."""


def decoded(raw: bytes, default: Charset) -> tuple[str, str]:
    """The text of a message and the codec it was in.

    The field that names the letters is itself written in them. A second byte of GB18030 may look like a separator, so the
    header is read in the system's own letters first, and byte by byte only where that fails.
    """
    text: str | None
    try:
        text = raw.decode(default.value)
    except UnicodeDecodeError:
        text = None
    header = text if text is not None else raw.split(b"\r", 1)[0].decode("latin-1")
    named = _named(header.split("\r", 1)[0])
    if not named:
        if text is None:
            raise BadCharset(f"not in {default.value}, and MSH-18 names nothing else")
        return text, default.value
    codec = _KNOWN.get(named.upper())
    if codec is None:
        raise BadCharset("MSH-18 names letters that are not known")
    if codec == default.value and text is not None:
        return text, codec
    try:
        return raw.decode(codec), codec
    except UnicodeDecodeError:
        raise BadCharset(f"not in {codec}, which MSH-18 names") from None


def _named(header: str) -> str:
    if len(header) < 8:
        return ""
    fields = header.split(header[3])
    if len(fields) <= PLACE:
        return ""
    repetition = header[5]
    return fields[PLACE].split(repetition)[0].strip()
