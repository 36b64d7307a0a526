"""docs/settings.md: every setting of every process."""

import ast
import dataclasses
import importlib
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

from standalone.options import NAMES
from tools.house_rules import Source, sources
from tools.pages.markdown import code, first_line, page, table
from tools.pages.meanings import MEANINGS

OURS: tuple[tuple[str, str], ...] = (
    ("`backend api`, `backend worker` and its commands", "backend.settings:Settings"),
    ("`backend media`", "backend.video.settings:MediaSettings"),
    ("`miniapp_mock front`", "miniapp_mock.front.settings:Settings"),
    ("`front_gateway`", "front_gateway.settings:Settings"),
    ("`regulator_adapter`", "regulator_adapter.settings:Settings"),
    ("`regulator_adapter.conformance`", "regulator_adapter.conformance.settings:Secrets"),
)
"""Processes that read their settings by `foundation.settings`."""

BASES = ("foundation.settings:CommonSettings", "foundation.feeding:Feeding", "backend.policy:Policy", "backend.calling:Calling", "backend.insuring:Insuring",
         "backend.reviewing:Reviewing", "backend.keeping:ObjectSettings", "backend.keeping:KeepingSettings",
         "regulator_adapter.settings:StoreSettings", "regulator_adapter.settings:DeskSettings")  # fmt: skip
"""Classes whose fields are listed with those that inherit them."""

DOUBLES: tuple[tuple[str, str], ...] = (
    ("`simulators his`", "simulators/his/settings.py"),
    ("`simulators his_soap`", "simulators/his_soap/settings.py"),
    ("`simulators pacs`", "simulators/pacs/settings.py"),
    ("`simulators lis_ris`", "simulators/lis_ris/settings.py"),
    ("`simulators supervision`", "simulators/supervision/settings.py"),
    ("`simulators courier`", "simulators/courier/settings.py"),
    ("`simulators identity`", "simulators/identity/settings.py"),
    ("`simulators ca`", "simulators/ca/settings.py"),
    ("`simulators ebill`", "simulators/ebill/settings.py"),
    ("`simulators eprescription`", "simulators/eprescription/settings.py"),
    ("`simulators sms`", "simulators/sms/settings.py"),
    ("`simulators review_server`", "simulators/review_server/settings.py"),
    ("`miniapp_mock wechat`", "miniapp_mock/wechat/settings.py"),
)
"""Other people's systems: they have readers of their own, whose look-ups are read from the source."""

COMMON = ("ENV", "LOG_LEVEL", "HOST", "PORT", "HEALTH_PORT")
KINDS = {
    "text": "text", "optional": "text", "integer": "whole number", "number": "number", "flag": "1 or 0",
    "choice": "one of", "file": "file", "folder": "folder", "port": "port", "url": "address",
}  # fmt: skip
READERS = {*KINDS, "tls"}
TLS = (
    ("CERT", "file", "certificate of the listener"),
    ("KEY", "file", "its key"),
    ("CA", "file", "root of its clients"),
    ("CLIENTS", "text", "URI identities that may come in, comma separated; empty: all of that root"),
)

Row = tuple[str, str, str, str]


def load(path: str) -> Any:
    """The object at `module:name`."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def ours(kind: Any) -> Iterator[Row]:
    """Name, kind, default, meaning of each field."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        default = "**required**" if field.default is dataclasses.MISSING else code(_shown(field.default))
        secret = " (secret)" if field.metadata.get("secret") else ""
        yield code(field.name.upper()), _kind(hints[field.name]), default, field.metadata["meaning"] + secret


def _shown(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if hasattr(value, "as_posix"):  # a path of this checkout is nobody else's
        return PurePosixPath(value.as_posix()).name
    return "" if value is None else str(value)


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        return _kind(typing.get_args(hint)[0]) + ", …"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " / ".join(str(member.value) for member in hint)
    words = {
        "str": "text", "int": "whole number", "bool": "1 or 0", "Path": "path", "bytes": "hexadecimal",
        "Rate": "count/seconds",
    }  # fmt: skip
    return words.get(hint.__name__, str(hint.__name__))


def look_ups(source: Source) -> Iterator[Row]:
    """Settings that a double reads: calls such as `env.text("NAME", default)` or `_hex(env, "NAME")`."""
    found: dict[str, Row] = {}
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        for position, argument in enumerate(node.args[:2]):
            name = getattr(argument, "value", None)
            if isinstance(name, str) and name.isupper() and (method in READERS or (position and not method)):
                for row in _rows(method, name, node.args[position + 1 :]):
                    found.setdefault(row[0], row)
    yield from (found[name] for name in sorted(found) if name.strip("`") not in COMMON)


def _rows(method: str, name: str, rest: list[ast.expr]) -> Iterator[Row]:
    if method == "tls":
        for part, kind, meaning in TLS:
            yield code(f"{name}_TLS_{part}"), kind, "", meaning
        return
    kind = KINDS.get(method, "text")
    if method == "choice":
        options, *rest = rest
        if isinstance(options, ast.Tuple):
            kind = " / ".join(ast.unparse(one).strip("'") for one in options.elts)
    default = code(ast.unparse(rest[0]).strip("'")) if rest and not isinstance(rest[0], ast.JoinedStr) else ""
    required = method != "optional" and not rest
    yield code(name), kind, "**required**" if required else default, MEANINGS.get(name, "")


def build() -> dict[str, str]:
    """The document by its path."""
    headings = ("name", "kind", "default", "meaning")
    parts: list[list[str]] = [
        [
            "## `standalone` (`make run`)",
            "",
            *table(("name", "meaning, default"), ((code(n), m) for n, m in NAMES.items())),
        ]
    ]
    for title, path in OURS:
        kind = load(path)
        parts.append([f"## {title}", "", first_line(kind.__doc__), "", *table(headings, ours(kind))])
    by_path = {str(source.path): source for source in sources()}
    parts.append(
        [
            "Every double below also reads `ENV`, `LOG_LEVEL`, `HOST`, `PORT` and, with mutual TLS, `HEALTH_PORT`."
        ]
    )
    for title, file in DOUBLES:
        parts.append([f"## {title}", "", *table(headings, look_ups(by_path[file]))])
    introduction = (
        "Read once from environment variables. Missing or malformed ones are named in one line on stderr, and the process "
        "ends with status 2. A secret is never logged. How one machine is wired together: [processes.md](processes.md)."
    )
    return {"docs/settings.md": page("Settings", introduction, *parts)}


def unlisted() -> list[str]:
    """Classes with settings, and readers of doubles, that the lists above forgot."""
    listed = {path for _, path in OURS} | set(BASES)
    forgotten = []
    for source in sources():
        if source.path.parts[0] in ("tests", "tools"):
            continue
        module = ".".join(source.path.with_suffix("").parts)
        for node in source.nodes:
            if (
                isinstance(node, ast.ClassDef)
                and _has_settings(node)
                and f"{module}:{node.name}" not in listed
            ):
                forgotten.append(f"{module}:{node.name}")
        is_double = source.path.parts[0] == "simulators" or source.path.parts[:2] == (
            "miniapp_mock",
            "wechat",
        )
        if is_double and source.path.name == "settings.py" and source.path.parts[1] != "server":
            forgotten += [] if str(source.path) in {path for _, path in DOUBLES} else [str(source.path)]
    return forgotten


def _has_settings(node: ast.ClassDef) -> bool:
    return any(
        isinstance(line, ast.AnnAssign)
        and isinstance(line.value, ast.Call)
        and getattr(line.value.func, "id", "") == "setting"
        for line in node.body
    )
