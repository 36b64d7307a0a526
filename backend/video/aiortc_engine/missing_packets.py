"""Which packets of a stream to ask for again, when, and when to give up (RFC 4585 generic NACK)."""

MAX_GAP = 400
"""A larger hole is not asked for: the sender's history does not reach that far; a keyframe is quicker."""
RETRY_AFTER = 0.06
TRIES = 6


class MissingPackets:
    """Sequence numbers come unwrapped. aiortc asks once per gap; we ask again until the packet came or time is over."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._asked: dict[int, tuple[float, int]] = {}
        self.overrun = False
        """Set when a hole was too large to be filled; whoever reads it asks for a keyframe and resets it."""

    def __bool__(self) -> bool:
        return bool(self._asked)

    def add(self, sequence: int, now: float) -> list[int]:
        """A packet arrived; the numbers that are now seen to be missing, to be asked for at once."""
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return []
        if sequence <= highest:
            if self._asked:
                self._asked.pop(sequence, None)
            return []
        self._highest = sequence
        if sequence == highest + 1:
            return []
        if sequence - highest > MAX_GAP:
            self._asked.clear()
            self.overrun = True
            return []
        gap = list(range(highest + 1, sequence))
        for number in gap:
            self._asked[number] = (now, 1)
        return gap

    def due(self, now: float) -> list[int]:
        """Numbers to ask for again now; those asked `TRIES` times are given up."""
        again = []
        for number, (asked_at, times) in list(self._asked.items()):
            if now - asked_at < RETRY_AFTER:
                continue
            if times >= TRIES:
                del self._asked[number]
                continue
            self._asked[number] = (now, times + 1)
            again.append(number)
        return again
