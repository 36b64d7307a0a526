"""The same proof without a picture: content, signatures, time stamps, certificates and revocation lists in one JSON file.

Canonical JSON, so that there is one spelling only. `naming` is a time stamp over the digests of the fields and the first
signature, by which a changed field can be named; `archive` is a time stamp over everything else, so that no byte is free.
"""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
from asn1crypto.pem import unarmor

from backend.context import Context
from backend.outside.ca import Authorities
from backend.sheet.statement import fields_of
from backend.signature.model import Signature
from foundation.canonical import canonical
from foundation.errors import Conflict

FORMAT = "internet-hospital-evidence/1"


async def evidence(
    context: Context, content: msgspec.Struct, signed: Sequence[tuple[Signature, msgspec.Struct]]
) -> bytes:
    """`signed` are the standing signatures with what each was made over; the first is over `content` itself.

    `Conflict` while a signature still waits for its time stamp.
    """
    if any(not row.time_stamp for row, _ in signed):
        raise Conflict("签名的时间戳尚未取得，请稍后再试", code="time_stamp_pending")
    plain = msgspec.json.decode(canonical(content))
    known = await context.ca.authorities()
    body: dict[str, Any] = {
        "format": FORMAT,
        "content": plain,
        "fields": dict(fields_of(plain)),
        "signatures": [_entry(row, None if over is content else over) for row, over in signed],
        **_authorities(known),
    }
    body["naming"] = _text(await context.ca.time_stamp(naming(body)))
    body["archive"] = _text(await context.ca.time_stamp(canonical(body)))
    return canonical(body)


def naming(body: dict[str, Any]) -> bytes:
    """What the stamp `naming` is over."""
    return canonical({"fields": body["fields"], "signature": body["signatures"][0]["value"]})


def _entry(row: Signature, statement: msgspec.Struct | None) -> dict[str, Any]:
    return {
        "purpose": row.purpose,
        "algorithm": row.algorithm,
        "statement": None if statement is None else msgspec.json.decode(canonical(statement)),
        "value": row.value,
        "certificate": _text(unarmor(row.certificate_pem.encode())[2]),
        "time_stamp": _text(row.time_stamp),
    }


def _authorities(known: Authorities) -> dict[str, list[str]]:
    certificates = (known.issuing, known.sm2_issuing)
    lists = (known.revoked, known.authorities_revoked, known.sm2_revoked, known.sm2_authorities_revoked)
    return {
        "certificates": [_text(one) for one in certificates if one],
        "revocation_lists": [_text(one) for one in lists if one],
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
