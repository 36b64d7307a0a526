"""Cuts a reply to the fields that a line lets out, planned once when the whitelist is read.

A path such as `visits.diagnoses.code` goes through lists and optional parts; naming a part lets all of it out. What is
withheld is left away when the contract has a default for it and blanked otherwise (empty text, empty list, null, 0), so
that the reply still fits its struct; what cannot be blanked (a date, a digest) makes the whitelist invalid.
"""

import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from front_gateway.policy.lines import Filter

Reply = type[msgspec.Struct]


class _CannotBlank(Exception):
    """The type has no empty value."""


def field_mistakes(reply: Reply, allowed: Iterable[str]) -> list[str]:
    """One sentence for each path that the reply does not have and each field that cannot be withheld."""
    paths = list(allowed)
    if not paths:
        return ["fields is empty: nothing would be let out"]
    unknown = [f"field {path!r} is not in {reply.__name__}" for path in paths if not exists(reply, path)]
    return unknown or _not_withholdable(reply, tree_of(paths), "")


def plan(reply: Reply, allowed: Iterable[str]) -> Filter:
    """A function from a reply struct to what may leave, as plain values; `field_mistakes` must have been empty."""
    return _plan(reply, tree_of(allowed))


def all_fields(reply: Reply, prefix: str = "") -> list[str]:
    """Every leaf path of a reply, for documents and for `explain`."""
    found: list[str] = []
    for info in msgspec.structs.fields(reply):
        inner = struct_in(info.type)
        found += all_fields(inner, f"{prefix}{info.name}.") if inner else [f"{prefix}{info.name}"]
    return found


def struct_in(hint: Any) -> Reply | None:
    """The struct inside `X`, `X | None`, `list[X]`."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for arg in typing.get_args(hint) if (found := struct_in(arg))), None)


def exists(kind: Reply, path: str) -> bool:
    """Whether `kind` has this dotted path."""
    head, _, rest = path.partition(".")
    for info in msgspec.structs.fields(kind):
        if info.name == head:
            inner = struct_in(info.type)
            return not rest or (inner is not None and exists(inner, rest))
    return False


def tree_of(allowed: Iterable[str]) -> dict[str, Any]:
    """Paths as nested dictionaries; an empty one means all of it. Sorted, so that `a` comes before `a.b` and wins."""
    tree: dict[str, Any] = {}
    for path in sorted(allowed):
        here = tree
        for part in path.split("."):
            if part in here and not here[part]:
                break
            here = here.setdefault(part, {})
    return tree


def _not_withholdable(kind: Reply, tree: dict[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for info in msgspec.structs.fields(kind):
        if info.name in tree:
            inner = struct_in(info.type)
            if inner and tree[info.name]:
                found += _not_withholdable(inner, tree[info.name], f"{prefix}{info.name}.")
        elif info.required:
            try:
                msgspec.convert(_blank(info.type), info.type)
            except (_CannotBlank, msgspec.ValidationError):
                found.append(
                    f"field '{prefix}{info.name}' is required by the contract and cannot be withheld"
                )
    return found


def _blank(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        return None
    if typing.get_origin(hint) is list:
        return []
    bare = arguments[0] if typing.get_origin(hint) is typing.Annotated else hint
    if bare in (str, int, bool):
        return bare()
    raise _CannotBlank


def _plan(kind: Reply, tree: dict[str, Any]) -> Filter:
    steps: list[tuple[str, Filter | None]] = []
    blanks: dict[str, Any] = {}
    for info in msgspec.structs.fields(kind):
        inner = struct_in(info.type)
        if info.name in tree:
            steps.append((info.name, _plan(inner, tree[info.name]) if inner and tree[info.name] else None))
        elif info.required:
            blanks[info.name] = _blank(info.type)

    def cut(value: Any) -> dict[str, Any]:
        out = dict(blanks)
        for name, deeper in steps:
            part = getattr(value, name)
            if deeper is None or part is None:
                out[name] = part
            elif isinstance(part, list):
                out[name] = [deeper(one) for one in part]
            else:
                out[name] = deeper(part)
        return out

    return cut
