"""Which ids belong to one person, remembered in memory for a short while: a look-up by card is followed by the reads for it at once."""

from collections import OrderedDict
from collections.abc import Iterable
from time import monotonic
from typing import Generic, TypeVar

REMEMBERED = 10_000
REMEMBERED_SECONDS = 30.0

T = TypeVar("T")


class Remembered(Generic[T]):
    """By id; what is too old is forgotten when anything new comes, not only no longer given."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, ids: Iterable[str], found: T) -> None:
        """`found` stands under each of `ids` from now on."""
        now = monotonic()
        for one in ids:
            self._found[one] = (now + REMEMBERED_SECONDS, found)
            self._found.move_to_end(one)
        while self._found and (len(self._found) > REMEMBERED or next(iter(self._found.values()))[0] < now):
            self._found.popitem(last=False)

    def get(self, id: str) -> T | None:
        """What stands under `id`; None when that is too long ago."""
        until, found = self._found.get(id, (0.0, None))
        return found if monotonic() < until else None
