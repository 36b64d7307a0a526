"""The tables as Markdown, for `docs/profiles/`: everything after the mark is written by `render`."""

import re

from simulators.supervision.tables.codes import CODES
from simulators.supervision.tables.field import Field, Method, Profile

MARK = "<!-- from here on written by `python -m simulators.supervision.tables` -->"

_KINDS = {
    "dt": "time", "d": "date", "span": "date and span", "subject": "诊疗科目 code", "subjects": "array of 诊疗科目 codes",
    "drugclass": "drug class code", "icd": "ICD-10 code", "icds": "ICD-10 codes, `\\|`", "cert": "certificate, 30",
    "iso": "ISO 8601", "fen": "fen", "birth": "date", "event": "event type",
}  # fmt: skip
_NOTES = {
    "condition:ours": "condition is our reading",
    "spelling:as-published": "spelt like this",
    "eventType:decides": "must agree with eventType",
}


def render(profile: Profile) -> str:
    parts = [
        _method(one, profile.name == "shanghai", profile.name == "guangdong")
        for one in profile.methods.values()
    ]
    return "\n".join([MARK, "", "## Tables", "", *parts, _codes(profile)])


def replace_tables(document: str, profile: Profile) -> str:
    """The document with its generated end written anew."""
    head, mark, _ = document.partition(MARK)
    if not mark:
        raise ValueError("the document has no mark")
    return head + render(profile)


def _method(method: Method, own: bool, found: bool) -> str:
    """`own`: all of it is a proposal; `found`: what is known is marked instead of what is not."""
    lines = [f"### `{method.name}` {method.label}", ""]
    facts = [f"Makes known: {method.register[0]} = `{method.register[1]}`."]
    if method.events:
        facts.append(f"Events: {', '.join(f'`{one}`' for one in method.events)}.")
    if method.needs:
        facts.append(
            f"Needs: {', '.join(f'{kind} `{field}`' for kind, field in method.needs)} accepted before."
        )
    if method.quota:
        facts.append(f"Quota in the test environment: {method.quota}.")
    if method.empty_allowed:
        facts.append("An empty array is the daily sign-in.")
    lines += [" ".join(facts), "", "| field | need | kind | name | note |", "|---|---|---|---|---|"]
    lines += [_row(one, own, found) for one in method.fields]
    for one in method.fields:
        if one.items:
            lines += ["", f"Each entry of `{one.name}`:", "", "| field | need | kind | name | note |"]
            lines += ["|---|---|---|---|---|", *(_row(item, own, found) for item in one.items)]
    return "\n".join([*lines, ""])


def _row(field: Field, own: bool, found: bool) -> str:
    condition = " and ".join(f"`{one}`" for one in field.conditions).replace("|", "\\|")
    need = "M" if field.always else f"C: {condition}" if condition else "O"
    notes = [_NOTES[one] for one in field.notes]
    if found and field.documented:
        notes.insert(0, "known")
    elif not found and not own and not field.documented:
        notes.insert(0, "†")
    return f"| `{field.name}` | {need} | {_kind(field)} | {field.label} | {' · '.join(notes)} |"


def _kind(field: Field) -> str:
    kind = field.kind
    texts = {
        "s": f"text {kind.length}",
        "names": f"texts, `\\|`, {kind.length}",
        "texts": f"array of texts {kind.length}",
        "hex": f"hex {kind.length}",
        "dec": f"decimal ({kind.length},{kind.scale})",
        "int": f"integer {kind.low}..{'' if kind.high is None else kind.high}",
        "code": f"code `{kind.table}`",
        "codes": f"array of codes `{kind.table}`",
        "list": "array of objects",
    }
    return texts.get(kind.name) or _KINDS[kind.name]


def _codes(profile: Profile) -> str:
    used = {field.kind.table for field in _all_fields(profile) if field.kind.table in CODES}
    names = {field.kind.name for field in _all_fields(profile)}
    used |= {table for kind, table in (("subject", "subject"), ("drugclass", "drugClass")) if kind in names}
    lines = ["## Code tables", "", "| table | values |", "|---|---|"]
    for table in CODES:
        if table in used:
            values = ", ".join(f"{code} {re.sub(r'[|]', '/', text)}" for code, text in CODES[table].items())
            lines.append(f"| `{table}` | {values} |")
    return "\n".join([*lines, ""])


def _all_fields(profile: Profile) -> list[Field]:
    fields = [field for method in profile.methods.values() for field in method.fields]
    return fields + [item for field in fields for item in field.items]
