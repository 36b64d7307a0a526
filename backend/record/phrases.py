"""Templates of records: words to begin with. By type they hold no drug; what they leave blank has to be filled in before signing."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec

BLANK = "【"
"""Opens a blank of a template."""


class RecordTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Text for the fields of a record. `codes` are beginnings of ICD-10 codes it is offered for."""

    id: str
    name: str
    codes: list[str]
    chief_complaint: str = ""
    present_history: str = ""
    past_history: str = ""
    examination: str = ""
    opinion: str = ""
    advice: str = ""


@cache
def templates() -> tuple[RecordTemplate, ...]:
    """All of them, as they ship."""
    text = (files("backend.record") / "templates.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(one, RecordTemplate) for one in tomllib.loads(text)["template"])


def fitting(codes: Iterable[str]) -> list[RecordTemplate]:
    """Those for the diagnoses of a visit first, the others after them; each once."""
    known = list(codes)
    fits = [one for one in templates() if any(code.startswith(tuple(one.codes)) for code in known)]
    return [*fits, *(one for one in templates() if one not in fits)]
