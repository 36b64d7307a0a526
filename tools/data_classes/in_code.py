"""What the code itself shows: names of Valkey keys, folders of the object store, fields of log lines, keys of audit lines."""

import ast
import re
from collections.abc import Iterable, Iterator

from tools.house_rules.source import Source, sources

OURS = ("backend", "foundation", "front_gateway", "miniapp_mock/front", "regulator_adapter")
"""Whose logs and stores are ours; simulators and the mock of WeChat stand for somebody else's."""
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_KEY = re.compile(r"[a-z_]+(:[a-z_]+)*:")
_FOLDER = re.compile(r"[a-z_-]+/")
_NO_FOLDERS = {"video/", "image/", "audio/", "text/", "application/"}
"""Media types."""
_STORES = ("redis", "objects", "ObjectStore", "FolderStore")


def ours() -> list[Source]:
    """Our own processes' code."""
    return [one for one in sources() if one.folder in OURS and "migrations" not in one.path.parts]


def valkey_keys(code: Iterable[Source]) -> set[str]:
    """Beginnings of names in modules that speak to Valkey."""
    return {head for one in code if "redis" in one.text for head in _beginnings(one) if _KEY.fullmatch(head)}


def folders(code: Iterable[Source]) -> set[str]:
    """First folders of the names of objects."""
    return {head for one in code for head in _beginnings(one) if _FOLDER.fullmatch(head)} - _NO_FOLDERS


def _beginnings(source: Source) -> Iterator[str]:
    """Literal beginnings of composed texts, and texts that end like a beginning."""
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            yield str(node.values[0].value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(":"):
            yield node.value


def log_fields(code: Iterable[Source]) -> dict[str, str]:
    """Names of fields of log lines and one place of each; `**` for what is not spelled out."""
    return {
        keyword.arg or "**": f"{one.path}:{node.lineno}"
        for one in code
        for node in one.nodes
        if isinstance(node, ast.Call) and _logs(node.func)
        for keyword in node.keywords
    }


def _logs(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id == "log"
    )


def audit_keys(code: Iterable[Source]) -> dict[str, str]:
    """Keys of literal dictionaries in functions that write an audit line, and one place of each."""
    return {
        key.value: f"{one.path}:{key.lineno}"
        for one in code
        for function in one.nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _audits(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _audits(function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "audit"
        for node in ast.walk(function)
    )
