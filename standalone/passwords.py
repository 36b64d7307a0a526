"""Passwords of the embedded stores: made once, kept in `<data>/secrets/stores.json`, mode 0600."""

import json
import secrets
from dataclasses import asdict, dataclass, field, fields

from standalone.failure import StoreError
from standalone.paths import DataFolder, write_private


def _new() -> str:
    return secrets.token_hex(24)  # hex: needs no quoting in SQL, URLs or configuration files


@dataclass(frozen=True)
class Passwords:
    """`postgres` is the database's superuser; the others belong to one process each."""

    postgres: str = field(default_factory=_new, repr=False)
    hospital: str = field(default_factory=_new, repr=False)
    regulator: str = field(default_factory=_new, repr=False)
    valkey: str = field(default_factory=_new, repr=False)


def open_or_make(folder: DataFolder, *, may_make: bool) -> Passwords:
    """`may_make` is false when a database exists already: new passwords would not open it."""
    file = folder.secrets / "stores.json"
    if not file.exists():
        if not may_make:
            raise StoreError(
                f"{file} is missing, and without it the database in {folder.root} cannot be opened"
            )
        write_private(file, json.dumps(asdict(Passwords()), indent=1).encode())
    try:
        kept = json.loads(file.read_bytes())
        return Passwords(**{one.name: str(kept[one.name]) for one in fields(Passwords)})
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(f"{file} cannot be used: {problem!r}") from None
