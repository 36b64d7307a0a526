"""Names of diagnosis codes and a search for the doctor's screen. Pure data, read once."""

import csv
from functools import cache
from importlib.resources import files

from contracts.events import Diagnosis


@cache
def table() -> dict[str, str]:
    """Code → name."""
    text = (files("backend.diagnosis") / "data" / "icd10.csv").read_text(encoding="utf-8")
    return {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}


def diagnosis_name(code: str) -> str:
    """The name of a code; the code itself when the table does not have it."""
    return table().get(code, code)


def search(words: str, limit: int = 20) -> list[Diagnosis]:
    """Codes that begin with `words` or names that contain it."""
    wanted = words.strip().upper()
    found = [
        Diagnosis(code, name)
        for code, name in table().items()
        if code.upper().startswith(wanted) or wanted in name.upper()
    ]
    return found[:limit]
