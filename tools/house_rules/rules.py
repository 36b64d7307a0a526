"""The rules about code, one function each; `RULES` names them."""

import ast
import sys
from collections.abc import Iterator

from tools.house_rules.escapes import Rule
from tools.house_rules.source import Source

Places = Iterator[tuple[int, str]]

WITH_DATABASE = {"backend", "regulator_adapter", "foundation"}
PRODUCT = {
    "backend", "contracts", "foundation", "front_gateway", "miniapp_mock", "miniapp_mock/front",
    "miniapp_mock/wechat", "regulator_adapter", "simulators", "standalone",
}  # fmt: skip
CLOCK_READERS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now",
    "datetime.datetime.utcnow", "datetime.date.today", "time.time", "time.time_ns",
}  # fmt: skip
CLIENTS = {"httpx.AsyncClient", "httpx.Client", "AsyncClient"}
MONEY_OR_WIRE = {"money", "wire", "fees", "fee", "price", "prices", "tenders", "amounts"}
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression made of names and attributes only, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr}"
    return ""


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    for node in source.nodes:
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [part for target in node.targets for part in getattr(target, "elts", [target])]
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        return [node.target]
    return []


def state_by_advance(source: Source) -> Places:
    """A state is written by `foundation.db.advance` and by nothing else."""
    if source.folder not in WITH_DATABASE or str(source.path) == "foundation/db/advance.py":
        return
    for node in source.nodes:
        for target in _targets(node):
            if isinstance(target, ast.Attribute) and target.attr == "state":
                yield target.lineno, "sets .state; use advance() or advance_sql()"
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        if name == "values" and any(word.arg == "state" for word in node.keywords) and not _inserts(node):
            yield node.lineno, "updates state; use advance() or advance_sql()"
        if name == "setattr" and any(getattr(word, "value", None) == "state" for word in node.args):
            yield node.lineno, "sets state; use advance() or advance_sql()"


def _inserts(call: ast.Call) -> bool:
    """`insert(Row).values(state=…)` gives a row its first state; only updates move one."""
    inner: ast.AST = call
    while isinstance(inner, ast.Call | ast.Attribute):
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
        if dotted(inner) in ("insert", "pg_insert"):
            return True
    return False


def one_commit(source: Source) -> Places:
    """Only the unit of work commits."""
    if source.folder not in WITH_DATABASE or str(source.path) == "foundation/db/unit_of_work.py":
        return
    for node in source.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("commit", "commit_prepared")
        ):
            yield node.lineno, "commits; the unit of work does"


def clock(source: Source) -> Places:
    """Only a clock module asks the machine for the time."""
    if source.folder not in PRODUCT or source.path.name == "clock.py":
        return
    for node, name in _calls(source):
        if name in CLOCK_READERS:
            yield node.lineno, f"{name}() outside a clock module"


def no_float(source: Source) -> Places:
    """Money is whole fen, and what crosses a wire is exact."""
    if source.folder not in PRODUCT or not MONEY_OR_WIRE.intersection(source.path.stem.split("_")):
        return
    for node in source.nodes:
        if isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "float in a module about money or wires"
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"{node.value!r} is a float"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield node.lineno, "/ makes a float; use // or Decimal"


def http_client(source: Source) -> Places:
    """One place decides about deadlines, retries and proxies."""
    if source.folder not in PRODUCT or source.path.stem.split("_")[-1] == "client":
        return
    for node, name in _calls(source):
        if name in CLIENTS:
            yield node.lineno, f"{name}() outside a client module"


def settings(source: Source) -> Places:
    """The environment is read once, by a settings module; `standalone` makes environments and so may read its own."""
    if source.folder not in PRODUCT - {"standalone"} or source.path.stem == "settings":
        return
    for node in source.nodes:
        name = dotted(node)
        if name in ("os.environ", "os.getenv") and isinstance(node, ast.Attribute):
            yield node.lineno, f"{name} outside a settings module"


def lazy_raise(source: Source) -> Places:
    """No hidden input or output in asynchronous code."""
    for node, name in _calls(source):
        if name.rpartition(".")[2] == "relationship" and not any(
            word.arg == "lazy" and getattr(word.value, "value", "") == "raise" for word in node.keywords
        ):
            yield node.lineno, 'relationship without lazy="raise"'


def data_class(source: Source) -> Places:
    """A column says what it holds, which `stored()` asks for and `mapped_column()` does not."""
    if source.folder not in WITH_DATABASE or str(source.path) == "foundation/db/columns.py":
        return
    for node, name in _calls(source):
        if name.rpartition(".")[2] == "mapped_column":
            yield node.lineno, "mapped_column() declares no data class; use stored()"


def _is_migration(source: Source) -> bool:
    """A migration is a record of what a schema became, and is never changed again: no length makes it clearer."""
    return source.path.parts[1:3] == ("migrations", "versions")


def file_length(source: Source) -> Places:
    """Five hundred lines at most."""
    if len(source.lines) > LONGEST_FILE and not _is_migration(source):
        yield 1, f"{len(source.lines)} lines, {LONGEST_FILE} at most"


def function_length(source: Source) -> Places:
    """Sixty lines at most."""
    if _is_migration(source):
        return
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines, {LONGEST_FUNCTION} at most"


def stdlib_name(source: Source) -> Places:
    """A module named like one of the standard library's sends readers and imports to the wrong place."""
    name = source.path.parent.name if source.path.name == "__init__.py" else source.path.stem
    if name in sys.stdlib_module_names and not name.startswith("__"):
        yield 1, f"{name} is a module of the standard library"


RULES: dict[str, Rule] = {
    "state-by-advance": state_by_advance,
    "one-commit": one_commit,
    "clock": clock,
    "no-float": no_float,
    "http-client": http_client,
    "settings": settings,
    "lazy-raise": lazy_raise,
    "data-class": data_class,
    "file-length": file_length,
    "function-length": function_length,
    "stdlib-name": stdlib_name,
}
