"""Which fields of a typed request a line lets in. `purpose` always is: the door itself judges it.

What the contract does not know at all is refused by the contract (422); this is about what it knows and the line does not name.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from front_gateway.policy.fields import Reply, exists, struct_in, tree_of

LetIn = dict[str, Any]
"""By field: True for all of it, False for nothing of it, a `LetIn` for parts of it."""


def let_in_mistakes(request: Reply, allowed: Iterable[str]) -> list[str]:
    """One sentence for each path that the request does not have and each field that it cannot do without."""
    paths = list(allowed)
    unknown = [
        f"body field {path!r} is not in {request.__name__}" for path in paths if not exists(request, path)
    ]
    return unknown or _missing(request, tree_of(paths), "")


def let_in(request: Reply, allowed: Iterable[str]) -> LetIn:
    """The plan for `kept_out`; `let_in_mistakes` must have been empty."""
    return _plan(request, tree_of(allowed))


def kept_out(plan: LetIn, body: bytes) -> list[str]:
    """Paths in this body that the plan does not let in, each once; a body that is no JSON object has none."""
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    return list(dict.fromkeys(_kept_out(plan, plain, "")))


def _kept_out(plan: LetIn, value: Any, prefix: str) -> Iterable[str]:
    if isinstance(value, list):
        for one in value:
            yield from _kept_out(plan, one, prefix)
    elif isinstance(value, dict):
        for name, part in value.items():
            allowed = plan.get(name, True)
            if allowed is False:
                yield f"{prefix}{name}"
            elif allowed is not True:
                yield from _kept_out(allowed, part, f"{prefix}{name}.")


def _plan(kind: Reply, tree: dict[str, Any]) -> LetIn:
    found: LetIn = {}
    for info in msgspec.structs.fields(kind):
        inner = struct_in(info.type)
        if info.name in tree and inner and tree[info.name]:
            found[info.encode_name] = _plan(inner, tree[info.name])
        else:
            found[info.encode_name] = info.name in tree or info.name == "purpose"
    return found


def _missing(kind: Reply, tree: dict[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for info in msgspec.structs.fields(kind):
        inner = struct_in(info.type)
        if info.name in tree:
            if inner and tree[info.name]:
                found += _missing(inner, tree[info.name], f"{prefix}{info.name}.")
        elif info.required and info.name != "purpose":
            found.append(f"body field '{prefix}{info.name}' is required by the contract and must be let in")
    return found
