"""References and resource ids."""

import re
from urllib.parse import urlsplit

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LITERAL = re.compile(
    r"(?P<base>.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]+)?"
)


def target_of(reference: str, base_path: str) -> tuple[str, str] | None:
    """(type, id) of a literal reference to this very server; None for any other.

    An absolute reference counts when its path lies under ours. Its host is not looked at: servers behind a proxy were
    seen to name themselves `localhost`.
    """
    match = _LITERAL.fullmatch(reference)
    if match is None:
        return None
    base = match["base"]
    if base:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or parts.path.rstrip("/") != base_path:
            return None
    return match["type"], match["id"]


def id_in(reference: str, resource_type: str, base_path: str) -> str:
    """The id that `reference` names when it points at a `resource_type` of this server; empty otherwise."""
    target = target_of(reference, base_path)
    return target[1] if target and target[0] == resource_type else ""
