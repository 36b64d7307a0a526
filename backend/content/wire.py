"""Structs of the document routes."""

from datetime import datetime

import msgspec


class DocumentTitle(msgspec.Struct, frozen=True):
    """One current document without its text."""

    kind: str
    version: str
    title: str


class DocumentView(msgspec.Struct, frozen=True):
    """One current document; `body` is Markdown, `content_hash` SHA-256 hex of it."""

    kind: str
    version: str
    title: str
    body: str
    content_hash: str
    published_at: datetime


class HospitalView(msgspec.Struct, frozen=True):
    """The hospital, for headers and footers."""

    name: str
    short_name: str
    address: str
    phone: str
