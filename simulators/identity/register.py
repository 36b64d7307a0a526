"""The register of residents: identity number -> name."""

import unicodedata
from enum import StrEnum
from pathlib import Path

import msgspec

from simulators.server import SettingError

# Names of minorities are written with any of these between their parts.
_DOTS = str.maketrans(dict.fromkeys("•・‧．⋅●", "·"))


class Resident(msgspec.Struct, frozen=True):
    name: str
    id_number: str


class Result(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"


class Register:
    def __init__(self, residents: list[Resident]) -> None:
        self._names = {one.id_number.upper(): plain_name(one.name) for one in residents}

    def __len__(self) -> int:
        return len(self._names)

    def check(self, name: str, id_number: str) -> Result:
        known = self._names.get(id_number.upper())
        if known is None:
            return Result.NOT_FOUND
        return Result.MATCH if known == plain_name(name) else Result.MISMATCH


def plain_name(name: str) -> str:
    """The name as it is compared: one spelling of a character, one kind of dot, no spaces."""
    return "".join(unicodedata.normalize("NFC", name).translate(_DOTS).split())


def load(path: Path) -> Register:
    """Reads `identity.json`. Raises SettingError, in one line."""
    try:
        return Register(msgspec.json.decode(path.read_bytes(), type=list[Resident]))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise SettingError(f"IDENTITY_WORLD cannot be used: {path}: {problem}") from None
