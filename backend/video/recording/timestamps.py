"""Counters of RTP that wrap: 16-bit sequence numbers and 32-bit timestamps as plain integers."""


class Unwrapper:
    """Turns a wrapping counter of `bits` into one that does not wrap.

    The step from one value to the next is taken as signed (RFC 3550 A.1 in both directions): a value a little lower than
    the last one is late, not a wrap. Taking it for a wrap gives recordings of 13 hours for a five-minute call.
    """

    def __init__(self, bits: int) -> None:
        self._span = 1 << bits
        self._half = self._span >> 1
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        """`value` placed nearest to the one before."""
        last = self._last
        if last is None:
            self._last = value
            return value
        self._last = last = last + self._step(value, last)
        return last

    def near(self, value: int) -> int:
        """`value` placed nearest to the last one, which stays what it was."""
        last = self._last
        return value if last is None else last + self._step(value, last)

    def _step(self, value: int, last: int) -> int:
        step = (value - last) % self._span
        return step - self._span if step >= self._half else step
