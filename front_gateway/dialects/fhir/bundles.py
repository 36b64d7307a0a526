"""Takes search answers apart: what is data, what is said about the search, where the next page is.

An OperationOutcome is never data. One that says error, or that a parameter was not used, makes the answer unusable: a
search whose patient was ignored returns everybody.
"""

from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from front_gateway.dialects.fhir.resources import Bundle, Kind, OperationOutcome, Resource
from front_gateway.refusals import Target, Unusable

R = TypeVar("R", bound=Resource)
_HARMLESS = frozenset({"informational", "success"})
_decode_kind = msgspec.json.Decoder(Kind).decode
_decode_bundle = msgspec.json.Decoder(Bundle).decode
_decode_outcome = msgspec.json.Decoder(OperationOutcome).decode


def unusable(reason: str) -> Unusable:
    """The refusal for an answer that is not what was asked."""
    return Unusable(Target.HIS, reason)


def as_resource(raw: bytes | msgspec.Raw, kind: type[R]) -> R:
    """`raw` as `kind`; `Unusable` when it is something else or has no id."""
    if (found := kind_of(raw)) != kind.TYPE:
        raise unusable(f"expected {kind.TYPE}, got {found[:40] or 'nothing'}")
    try:
        resource = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unusable(f"{kind.TYPE} cannot be read: {_place(error)}") from None
    if not resource.id:
        raise unusable(f"{kind.TYPE} without id")
    return resource


def kind_of(raw: bytes | msgspec.Raw) -> str:
    """The resource type of `raw`."""
    try:
        return _decode_kind(raw).resource_type
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unusable(f"a resource cannot be read: {_place(error)}") from None


def as_bundle(raw: bytes) -> Bundle:
    """`raw` as a searchset."""
    try:
        bundle = _decode_bundle(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unusable(f"Bundle cannot be read: {_place(error)}") from None
    if bundle.resource_type != "Bundle" or bundle.type != "searchset":
        raise unusable(f"expected a searchset, got {bundle.resource_type[:40]} {bundle.type[:40]}")
    return bundle


def matches(bundle: Bundle, kind: type[R]) -> list[R]:
    """The resources that match. `Unusable` for an outcome that speaks of trouble or a match of another type."""
    found: list[R] = []
    for entry in bundle.entry:
        raw = bytes(entry.resource)
        if raw == b"null":
            continue
        if kind_of(raw) == "OperationOutcome":
            _judge(raw)
        elif entry.search.mode == "include":
            continue  # nothing is ever asked to be included
        else:
            found.append(as_resource(raw, kind))
    return found


def outcome_text(raw: bytes, limit: int = 200) -> str:
    """What an OperationOutcome says, shortened; empty when it is none."""
    try:
        if _decode_kind(raw).resource_type != "OperationOutcome":
            return ""
        issues = _decode_outcome(raw).issue
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    said = [
        one.diagnostics or one.details.words() or one.code for one in issues if one.severity != "information"
    ]
    return "; ".join(filter(None, said))[:limit]


def next_page(bundle: Bundle, base_path: str, resource_type: str) -> str:
    """Path and query of the next page; empty on the last one. Its host is not looked at, its path must be ours."""
    url = next((link.url for link in bundle.link if link.relation == "next"), "")
    if not url:
        return ""
    parts = urlsplit(url)
    path = parts.path or base_path
    ours = {
        base_path,
        f"{base_path}/",
        f"{base_path}/{resource_type}",
        f"{base_path}/{resource_type}/_search",
    }
    if parts.scheme not in ("", "http", "https") or path not in ours or not parts.query or parts.fragment:
        raise unusable("next page is somewhere else")
    if not all("\x21" <= letter <= "\x7e" for letter in parts.query):
        raise unusable("next page has an address that is none")
    return f"{path.removeprefix(base_path)}?{parts.query}"


def _judge(raw: bytes) -> None:
    try:
        issues = _decode_outcome(raw).issue
    except msgspec.DecodeError as error:
        raise unusable(f"OperationOutcome cannot be read: {_place(error)}") from None
    for one in issues:
        if one.severity in ("error", "fatal") or one.code not in _HARMLESS:
            raise unusable(f"search not carried out as asked: {one.severity} {one.code}"[:120])


def _place(error: Exception) -> str:
    """Where decoding stopped, without any of the content."""
    text = str(error)
    return text[text.find("`$") :][:80] if "`$" in text else "not JSON"
