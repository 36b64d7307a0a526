"""docs/errors.md: the tree of refusals, and every code that a client may meet."""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from foundation import errors
from foundation.errors import AppError
from tools.house_rules import Source, sources
from tools.house_rules.rules import dotted
from tools.pages.markdown import code, page, table
from tools.pages.states_page import machines

OURS = ("backend", "foundation", "front_gateway", "regulator_adapter", "miniapp_mock/front")
MODULES = (
    "foundation.errors", "front_gateway.refusals", "front_gateway.dialects.fhir.client", "front_gateway.dialects.soap.client", "backend.outside.his",
    "backend.outside.e_bill", "backend.outside.e_prescription", "backend.outside.insurance", "backend.outside.wechat_pay", "backend.outside.wechat_pay_exchange",
    "backend.outside.wechat_pay_troubles", "backend.insurance.tasks", "backend.cds_hooks.service", "regulator_adapter.days.asking",
)  # fmt: skip
"""Where classes of errors are."""


@dataclass(frozen=True)
class Code:
    """One code as it stands in the source; `status` is empty where it depends on the caller."""

    name: str
    status: str
    says: str
    module: str


def classes() -> dict[str, type[AppError]]:
    """Every class of the tree, in the order of its branches."""
    for name in MODULES:
        importlib.import_module(name)
    found: dict[str, type[AppError]] = {}

    def walk(kind: type[AppError]) -> None:
        found[f"{kind.__module__}.{kind.__name__}"] = kind
        for child in sorted(kind.__subclasses__(), key=lambda one: (one.__module__, one.__name__)):
            if child.__module__.partition(".")[0] in (*OURS, "miniapp_mock"):
                walk(child)

    walk(AppError)
    return found


def codes() -> list[Code]:
    """Codes of refusals and of single fields, by name."""
    statuses = {kind.__name__: kind for kind in classes().values()}
    found = {
        (one.name, one.module): one
        for source in sources()
        if source.folder in OURS
        for one in _in_file(source, statuses)
    }
    return sorted(found.values(), key=lambda one: (one.name, one.module))


def _in_file(source: Source, known: dict[str, type[AppError]]) -> Iterator[Code]:
    module = ".".join(source.path.with_suffix("").parts)
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func).rpartition(".")[2]
        texts = [_text(argument) for argument in node.args]
        given = next((_text(word.value) for word in node.keywords if word.arg == "code"), "")
        if given and name in known:
            yield Code(given, str(known[name].status), (texts or [""])[0] or known[name].title, module)
        elif name in ("invalid", "Issue") and len(texts) == 3 and texts[1]:
            yield Code(texts[1], "422", texts[2], module)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def build() -> dict[str, str]:
    """The document by its path."""
    tree = (errors.__doc__ or "").partition("```")[2].rpartition("```")[0].strip("\n")
    kinds = table(
        ("class", "status", "code", "says"),
        ((code(kind.__name__), str(kind.status), code(kind.code), kind.title) for kind in classes().values()),
    )
    named = table(
        ("code", "status", "says", "where"),
        ((code(one.name), one.status, one.says, code(one.module)) for one in codes()),
    )
    moves = sorted(
        {f"{machine.name}_{line.verb}_refused" for _, _, machine in machines() for line in machine.moves}
    )
    introduction = (
        "Every process answers a refusal with `application/problem+json`: `type`, `title`, `status`, `detail` (a sentence for "
        "the reader, in Chinese), `code` (what a client may switch on), `issues` (one per wrong field: `field`, `code`, "
        "`message`) and `request_id`. Codes are added, never used for something else."
    )
    return {
        "docs/errors.md": page(
            "Errors", introduction,
            ["## Tree", "", "```", tree, "```"], ["## Classes", "", *kinds], ["## Codes", "", *named],
            ["## Refused moves", "", "409, when the table of a machine ([states.md](states.md)) does not have the verb:", "",
             *(f"- `{name}`" for name in moves)],
        )
    }  # fmt: skip


def unlisted() -> list[str]:
    """Classes of errors in modules that the list above forgot."""
    names = {kind.__name__ for kind in classes().values()}
    forgotten = []
    for source in sources():
        module = ".".join(source.path.with_suffix("").parts)
        if source.folder not in OURS or module in MODULES:
            continue
        for node in source.nodes:
            if isinstance(node, ast.ClassDef) and any(
                dotted(base).rpartition(".")[2] in names for base in node.bases
            ):
                forgotten.append(f"{module}.{node.name}")
    return forgotten
