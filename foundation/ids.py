"""Opaque identifiers made by the application: UUIDv7 (RFC 9562), ordered by time of making."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0
_LOW = (1 << 62) - 1


def new_id() -> UUID:
    """A UUIDv7; strictly increasing inside one process, so that index pages fill from one end."""
    global _last  # noqa: PLW0603 - one counter per process is the point
    drawn = int.from_bytes(os.urandom(9))  # 72 bits in one call: a rush makes tens of thousands of ids
    # house: clock: the order of ids must not go back when a test moves the clock
    stamp = time.time_ns() // 1_000_000 << 12 | drawn >> 62
    with _lock:
        _last = stamp = max(stamp, _last + 1)
    return UUID(int=stamp >> 12 << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62 | drawn & _LOW)
