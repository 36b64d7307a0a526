"""Structs of the price routes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.pricing.model import PriceItem, PriceList
from backend.pricing.rules import Change, Price, difference, digest
from backend.pricing.states import PRICE_LIST
from contracts.money import Fen, parse_yuan

Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{1,39}$")]


class PriceView(msgspec.Struct, frozen=True):
    """One price of a version that is or was in force."""

    code: str
    name: str
    amount: Fen
    version: str
    basis: str
    effective_on: date | None = None


class VersionView(msgspec.Struct, frozen=True):
    """One version that is or was in force; `ended_on` is the day another one replaced it."""

    version: str
    effective_on: date | None
    ended_on: date | None
    note: str
    content_hash: str


class PublishedView(msgspec.Struct, frozen=True):
    """A version with its lines."""

    version: VersionView
    prices: list[PriceView]


class Prepare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new draft; `note` says why."""

    note: Annotated[str, Meta(min_length=2, max_length=200)]


class SetPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a draft; `yuan` as a person writes it: `30` or `30.50`."""

    code: Code
    name: Annotated[str, Meta(min_length=2, max_length=80)]
    yuan: Annotated[str, Meta(pattern=r"^\d{1,6}(\.\d{1,2})?$")]
    basis: Annotated[str, Meta(max_length=200)] = ""

    def price(self) -> Price:
        """As rules know it."""
        return Price(self.code, self.name, parse_yuan(self.yuan), self.basis)


class RemovePrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a draft to be taken out."""

    code: Code


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In force with `effective_on`; `seen` is the `content_hash` of what the approver looked at."""

    effective_on: date
    seen: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class ChangeView(msgspec.Struct, frozen=True):
    """One code in the draft and in the list it is compared with. `kind`: added, removed, price, words, same."""

    code: str
    kind: str
    name: str
    before: Fen | None
    after: Fen | None


class ListView(msgspec.Struct, frozen=True):
    """A version as its editors see it."""

    id: UUID
    version: str
    state: str
    state_label: str
    note: str
    prepared_at: datetime
    editors: list[str]
    effective_on: date | None
    approved_by: str
    approved_at: datetime | None
    content_hash: str


class DraftView(msgspec.Struct, frozen=True):
    """A version with its lines and what it changes against the list in force."""

    sheet: ListView
    prices: list[PriceView]
    changes: list[ChangeView]


def price_view(row: PriceItem, effective_on: date | None) -> PriceView:
    """From the row."""
    return PriceView(row.code, row.name, row.amount, row.version, row.basis, effective_on)


def versions_view(rows: Sequence[PriceList]) -> list[VersionView]:
    """Newest first, as they come."""
    ends = [None, *(row.effective_on for row in rows)]
    return [
        VersionView(row.version, row.effective_on, end, row.note, row.content_hash)
        for row, end in zip(rows, ends, strict=False)
    ]


def list_view(row: PriceList, names: Mapping[UUID, str], content: str = "") -> ListView:
    """From the row; `names` are the staff's, `content` the digest of a draft's present lines."""
    approver = names.get(row.approved_by, "") if row.approved_by else ""
    return ListView(
        id=row.id, version=row.version, state=row.state, state_label=PRICE_LIST.labels[row.state], note=row.note,
        prepared_at=row.prepared_at, editors=[names.get(one, "") for one in row.editors],
        effective_on=row.effective_on, approved_by=approver, approved_at=row.approved_at,
        content_hash=row.content_hash or content,
    )  # fmt: skip


def draft_view(
    row: PriceList, items: Sequence[PriceItem], current: Sequence[PriceItem], names: Mapping[UUID, str]
) -> DraftView:
    """From the rows."""
    prices = [one.price for one in items]
    changes = difference([one.price for one in current], prices)
    return DraftView(
        sheet=list_view(row, names, digest(row.version, prices)),
        prices=[price_view(one, row.effective_on) for one in items],
        changes=[_change_view(change) for change in changes],
    )


def _change_view(change: Change) -> ChangeView:
    shown = change.after or change.before
    assert shown is not None
    return ChangeView(
        code=change.code, kind=change.kind, name=shown.name,
        before=change.before.amount if change.before else None,
        after=change.after.amount if change.after else None,
    )  # fmt: skip
