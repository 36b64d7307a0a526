"""Bodies of docs/counterparts.md."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from simulators.courier.statuses import Status
from simulators.server import BadField

Text = Annotated[str, Meta(min_length=1, max_length=200)]


class Party(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: Annotated[str, Meta(pattern=r"\A\+?[0-9][0-9 -]{4,19}\Z")]
    address: Text


class Goods(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: Text
    quantity: Annotated[int, Meta(ge=1, le=9999)]


class NewShipment(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    order_number: Annotated[str, Meta(min_length=1, max_length=64)]
    sender: Party
    receiver: Party
    goods: Annotated[list[Goods], Meta(min_length=1, max_length=100)]
    callback_url: Annotated[str, Meta(min_length=1, max_length=500)]


class NewEvent(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    status: Status
    place: Annotated[str, Meta(max_length=100)] = ""
    note: Annotated[str, Meta(max_length=200)] = ""


class Event(msgspec.Struct, frozen=True):
    """One step of a parcel; `at` is ISO 8601 with the offset of Shanghai."""

    sequence: int
    status: Status
    at: str
    place: str
    note: str


def check_callback_url(url: str) -> None:
    """Raises BadField unless it can be called and signed as it stands."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    clean = url.isascii() and url.isprintable() and " " not in url
    if not usable or not clean or parts.fragment or parts.username is not None:
        raise BadField("callback_url", "expected http(s)://host[:port]/path[?query]")
