"""Where code and `declared.toml` differ, and what may not stand where it is declared."""

from collections.abc import Collection, Iterable, Iterator

from foundation.db.columns import DataClass
from tools.data_classes import in_code, structs
from tools.data_classes.declared import SHORT, Declared, by_name
from tools.house_rules.source import Source

NOT_SPELLED_OUT = {"arq:", "recordings/"}
"""Names that a library makes, or a setting of the media engine."""
EVENTS, PLAIN = "events", "plain"


def findings(declared: Declared, sources: Collection[Source]) -> list[str]:
    """Everything that is wrong, each in one line that says what to do."""
    return [
        *of_valkey(declared, sources),
        *compared("[objects]", declared.objects, in_code.folders(sources)),
        *never_there("[objects]", declared.objects),
        *of_logs(declared, sources),
        *of_documents(declared, sources),
        *of_structs(declared),
    ]


def of_valkey(declared: Declared, sources: Iterable[Source]) -> Iterator[str]:
    """Families of keys; the hospital's content is sealed and lives for minutes."""
    yield from compared("[valkey]", declared.valkey, in_code.valkey_keys(sources))
    for name, keys in declared.valkey.items():
        if keys.holds is DataClass.HOSPITAL and not (keys.sealed and 0 < keys.seconds <= SHORT):
            yield f"[valkey] {name} holds the hospital's content: sealed, and {SHORT} s at most"


def of_logs(declared: Declared, sources: Iterable[Source]) -> Iterator[str]:
    """Fields of log lines: nothing of persons, nothing clinical."""
    found = in_code.log_fields(sources)
    if "**" in found:
        yield f"[logs] {found.pop('**')} does not spell out its fields"
    yield from compared("[logs]", by_name(declared.logs), found)
    for held in declared.logs:
        if held is not DataClass.OPERATIONAL:
            yield f"[logs] {held} is never written to a log"


def of_documents(declared: Declared, sources: Iterable[Source]) -> Iterator[str]:
    """JSON columns that do not say themselves what is in them, and lists of keys."""
    untold = {str(one) for one in structs.json_columns() if not structs.says_its_type(one)}
    yield from compared("[documents]", declared.documents, untold)
    for column, holds in declared.documents.items():
        named = holds.removeprefix("keys.") in declared.keys
        if ":" not in holds and holds not in (EVENTS, PLAIN) and not named:
            yield f"[documents] {column} names {holds}, which is not there"
    for title, listed in declared.keys.items():
        yield from never_there(f"[keys.{title}]", by_name(listed))
    yield from compared("[keys.audit]", by_name(declared.keys.get("audit", {})), in_code.audit_keys(sources))


def of_structs(declared: Declared) -> Iterator[str]:
    """What is stored, what the hospital answers, and that the one never holds the other."""
    stored = structs.leaves(structs.stored_kinds(declared.documents.values()))
    answered = structs.leaves(structs.hospital_kinds())
    yield from _leaves("structs", declared.structs, stored)
    yield from _leaves("hospital", declared.hospital, answered)
    for name in declared.structs:
        yield from never_there(f"[structs.{name}]", by_name(declared.structs[name]))
    for name in sorted(stored.keys() & answered.keys()):
        yield f"{name} is an answer of the hospital and stands in something stored"


def _leaves(
    part: str, declared: dict[str, dict[DataClass, list[str]]], found: structs.Leaves
) -> Iterator[str]:
    there = {name: fields for name, fields in found.items() if fields}
    yield from compared(f"[{part}]", declared, there)
    for name in declared.keys() & there.keys():
        yield from compared(f'[{part}."{name}"]', by_name(declared[name]), there[name])


def compared(part: str, declared: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    """Names on one side only."""
    named, there = set(declared), set(found)
    for name in sorted(there - named):
        yield f"{part} {name} has no class: name it in tools/data_classes/declared.toml"
    for name in sorted(named - there - NOT_SPELLED_OUT):
        yield f"{part} {name} is no longer in the code"


def never_there(part: str, held: dict[str, DataClass]) -> Iterator[str]:
    """Content of the hospital."""
    for name, data_class in held.items():
        if data_class is DataClass.HOSPITAL:
            yield f"{part} {name} would store what is the hospital's"
