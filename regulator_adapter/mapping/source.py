"""What a mapping is given: one event, its place in the feed, what came before it in its stream, and who reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from regulator_adapter.organisation import Organisation

E = TypeVar("E")
P = TypeVar("P")

Keyed = Callable[[str, str], bytes]
"""`foundation.crypto.Keyring.index`: (value, field) under the hospital's key."""


@dataclass(frozen=True)
class Place:
    """The envelope around an event. Digests are bytes; `number` counts across the hospital, `sequence` in the stream."""

    event_id: UUID
    type: str
    stream: str
    sequence: int
    number: int
    occurred_at: datetime
    digest: bytes
    head: bytes


@dataclass(frozen=True)
class Source(Generic[E]):
    """Input of a mapping. `earlier` has the events of the same stream before this one and `later` those after it, for the kinds that
    ask for them, `made_at` is when the record is made; `keyed` names a person's number to nobody who has not the hospital's key; `reported_by` names the profile that reports the event's content (`none`: its place in the chain is all)."""

    event: E
    place: Place
    organisation: Organisation
    keyed: Keyed
    earlier: Sequence[Any] = ()
    reported_by: str = "none"
    later: Sequence[Any] = ()
    made_at: datetime | None = None

    def last(self, kind: type[P], fits: Callable[[P], bool] = lambda _: True) -> P | None:
        """The latest earlier event of `kind` that `fits`."""
        return next(
            (event for event in reversed(self.earlier) if isinstance(event, kind) and fits(event)), None
        )

    def next(self, kind: type[P], fits: Callable[[P], bool] = lambda _: True) -> P | None:
        """The first later event of `kind` that `fits`."""
        return next((event for event in self.later if isinstance(event, kind) and fits(event)), None)
