"""What has to happen to the slots that are there so that they fit the plan, without touching a place somebody has. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True)
class Piece:
    """A slot as the plan wants it."""

    department_code: str
    day: date
    starts_at: datetime
    ends_at: datetime
    capacity: int
    held_follow_up: int
    held_staff: int
    held_referral: int
    mode: str
    price_code: str

    @property
    def held(self) -> int:
        """Places kept for a channel."""
        return self.held_follow_up + self.held_staff + self.held_referral


@dataclass(frozen=True)
class Present:
    """A slot that is there, of which `sold` places are held, booked or used."""

    id: UUID
    piece: Piece
    sold: int
    stopped: bool = False


@dataclass(frozen=True)
class Layout:
    """`open` are new, `change` get another form (and are open again), `close` are not sold any more.

    `in_the_way` have places that somebody has, or lie where such a slot stays: they are left as they are.
    """

    open: list[Piece] = field(default_factory=list)
    change: list[tuple[Present, Piece]] = field(default_factory=list)
    close: list[Present] = field(default_factory=list)
    in_the_way: list[Present] = field(default_factory=list)


def arrange(wanted: Iterable[Piece], present: Sequence[Present]) -> Layout:
    """From `present` to `wanted`; pieces of `wanted` do not overlap, nor do slots of `present` that are not stopped."""
    found = Layout()
    by_start = {piece.starts_at: piece for piece in wanted}
    stay: list[Present] = []
    for slot in sorted(present, key=lambda one: one.piece.starts_at):
        piece = by_start.get(slot.piece.starts_at)
        if piece is not None and piece == slot.piece and not slot.stopped:
            by_start.pop(piece.starts_at)
            stay.append(slot)
        elif slot.sold and not (piece is not None and only_resized(slot, piece)):
            by_start.pop(slot.piece.starts_at, None)
            if not (slot.stopped and piece is None):
                found.in_the_way.append(slot)
            stay.append(slot)
        elif piece is None and not slot.stopped:
            found.close.append(slot)
    for slot in present:
        piece = by_start.get(slot.piece.starts_at)
        if piece is not None and not _crossed(piece, stay, but=slot):
            found.change.append((slot, by_start.pop(piece.starts_at)))
    for slot in present:  # what could not become another slot is not left half sold
        if slot.piece.starts_at in by_start and not slot.stopped and slot not in stay:
            found.close.append(slot)
            by_start.pop(slot.piece.starts_at)
    found.open.extend(piece for piece in by_start.values() if not _crossed(piece, stay))
    return found


def only_resized(slot: Present, piece: Piece) -> bool:
    """Whether those who have a place would notice nothing: the same time and kind, and no fewer places than they hold."""
    old = slot.piece
    same = (old.department_code, old.ends_at, old.mode) == (piece.department_code, piece.ends_at, piece.mode)
    return same and not slot.stopped and slot.sold <= piece.capacity


def _crossed(piece: Piece, stay: Iterable[Present], but: Present | None = None) -> bool:
    return any(
        slot is not but and slot.piece.starts_at < piece.ends_at and piece.starts_at < slot.piece.ends_at
        for slot in stay
    )
