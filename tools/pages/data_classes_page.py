"""docs/data_classes.md: what is kept where, and of which class it is."""

import re
from collections.abc import Iterator

from foundation.db.columns import DataClass
from tools.data_classes import Declared, read
from tools.data_classes.declared import by_name
from tools.house_rules.columns import declared_columns
from tools.pages.markdown import code, page, table

MEANINGS = {
    DataClass.OPERATIONAL: "ids, states, times, counters, configuration, public facts",
    DataClass.PERSONAL: "names, id numbers, phones, addresses: encrypted, found by a keyed index",
    DataClass.CONTENT: "clinical content made by the internet hospital itself: encrypted",
    DataClass.EVIDENCE: "the few facts of the hospital a decision rests on: visit id, ICD code, date, rule id, hash",
    DataClass.MONEY: "amounts in fen and the provider's references",
    DataClass.SECRET: "hashes of passwords and tokens; encrypted credentials",
    DataClass.HOSPITAL: "clinical content of the hospital's own systems: never stored, shown from a sealed key of Valkey that lives for minutes",
}  # fmt: skip


def build() -> dict[str, str]:
    """The document by its path."""
    declared = read()
    introduction = (
        "Every column, every key inside a JSON column, every event, every family of keys in Valkey, every folder of the object store and "
        "every field of a log line has a class (`foundation/db/columns.py`, `tools/data_classes/declared.toml`); a new one without is "
        "refused by a test. That nothing of the class `hospital` is at rest in the cloud is proven by marks planted in the simulated "
        "hospital and a search of every place: `artefacts/data-at-rest.md`, made by `make test`."
    )
    return {
        "docs/data_classes.md": page(
            "Classes of data", introduction, _classes(), _columns(), _valkey(declared), _objects(declared),
            _structs("What stands inside JSON columns and events", declared.structs),
            _structs("What the hospital answers", declared.hospital),
        )
    }  # fmt: skip


def _classes() -> Iterator[str]:
    counts = {held: sum(one.info["data_class"] is held for one in declared_columns()) for held in DataClass}
    rows = ((code(held.value), MEANINGS[held], str(counts[held])) for held in DataClass)
    yield from table(("class", "what it is", "columns"), rows)


def _columns() -> Iterator[str]:
    yield "## Columns that are not operational"
    yield ""
    found: dict[str, dict[DataClass, list[str]]] = {}
    for one in declared_columns():
        held = one.info["data_class"]
        if held is not DataClass.OPERATIONAL:
            found.setdefault(one.table.name, {}).setdefault(held, []).append(one.name)
    yield from table(
        ("table", "columns by class"), ((code(name), _listed(found[name])) for name in sorted(found))
    )


def _listed(listed: dict[DataClass, list[str]]) -> str:
    return "; ".join(
        f"{held.value}: {', '.join(map(code, listed[held]))}" for held in DataClass if held in listed
    )


def _valkey(declared: Declared) -> Iterator[str]:
    yield "## Keys in Valkey, which never writes a file"
    yield ""
    rows = (
        (
            code(name),
            one.holds.value,
            f"{one.seconds} s" if one.seconds else "–",
            "yes" if one.sealed else "",
            one.says,
        )
        for name, one in declared.valkey.items()
    )
    yield from table(("names begin with", "class", "longest life", "sealed", "what"), rows)


def _objects(declared: Declared) -> Iterator[str]:
    yield "## Folders of the object store, every object sealed"
    yield ""
    yield from table(
        ("folder", "class"), ((code(name), held.value) for name, held in declared.objects.items())
    )


def _structs(title: str, structs: dict[str, dict[DataClass, list[str]]]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    rows = (
        (code(re.sub(r"^contracts\.", "", name)), _listed(structs[name]))
        for name in structs
        if by_name(structs[name])
    )
    yield from table(("struct", "fields by class"), rows)
