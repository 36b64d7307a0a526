"""What a PAdES signature says besides "this file": a signed attribute with the digests of the content, field by field.

A verifier that finds the file changed can still read it, because the signature over the attributes stands by itself; so it
can name the field that does not fit. Digests of fields are for naming only: what binds is the digest of the whole.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from foundation.canonical import canonical, sha256

OID = "2.25.200113726869624514064479705703810339756"
"""The attribute's type: an arc under 2.25 belongs to whoever drew the UUID. Its value is an OCTET STRING with canonical JSON."""
SHOWN = 16
"""Hex digits of a field's digest."""


class Statement(msgspec.Struct, frozen=True):
    """`content` is SHA-256 of the canonical bytes, `signature` of the JSON signature's bytes; `fields` by dotted path."""

    purpose: str
    content: str
    signature: str
    fields: dict[str, str]
    verdict: str = ""


def fields_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf of plain JSON with its dotted path and the beginning of its digest; empty lists and objects are leaves."""
    inner: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = [(str(index), one) for index, one in enumerate(value)]
    if not inner:
        yield path, sha256(canonical([path, value])).hex()[:SHOWN]
    for name, one in inner:
        yield from fields_of(one, f"{path}.{name}" if path else name)


def encoded(purpose: str, content: bytes, signature: bytes, verdict: str = "") -> bytes:
    """Canonical JSON of the statement about `content`, which is canonical JSON itself."""
    fields = dict(fields_of(msgspec.json.decode(content)))
    statement = Statement(purpose, sha256(content).hex(), sha256(signature).hex(), fields, verdict)
    return canonical(statement)
