"""MLLP: a message between 0x0B and 0x1C 0x0D. Whatever the network cuts, the same bytes give the same messages."""

START, END, RETURN = 0x0B, 0x1C, 0x0D
_BETWEEN = frozenset({0x0D, 0x0A})


class BadFrame(Exception):
    """What came is no MLLP, or longer than is taken; the message has no content."""


def framed(message: bytes) -> bytes:
    """The message as it travels."""
    return bytes([START]) + message + bytes([END, RETURN])


class Frames:
    """Collects bytes; `feed` gives the messages that they complete. After `BadFrame` the connection is of no more use."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._looked = 0

    @property
    def begun(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, in order."""
        self._held += data
        found = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> bytes | None:
        held = self._held
        skip = 0
        while skip < len(held) and held[skip] in _BETWEEN:
            skip += 1
        if skip:
            del held[:skip]
        if not held:
            return None
        if held[0] != START:
            raise BadFrame("bytes outside a message")
        end = held.find(END, max(1, self._looked))
        self._looked = len(held) if end < 0 else end
        if (len(held) if end < 0 else end) - 1 > self._limit:
            raise BadFrame("message over the limit")
        if held.find(START, 1, end if end >= 0 else None) >= 0:
            raise BadFrame("a message begins inside another")
        if end < 0 or end + 1 >= len(held):
            return None
        if held[end + 1] != RETURN:
            raise BadFrame("end of message without its return")
        message = bytes(held[1:end])
        del held[: end + 2]
        self._looked = 0
        return message
