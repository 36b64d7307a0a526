"""Code tables: name -> {code: label}."""

import tomllib
from pathlib import Path

CODES: dict[str, dict[str, str]] = tomllib.loads(
    (Path(__file__).parent / "codes.toml").read_text(encoding="utf-8")
)


def label(table: str, code: str) -> str:
    """What a screen shows for a code; the code itself when the table does not know it."""
    return CODES[table].get(code, code)


def subject_label(code: str) -> str:
    """Name of a 诊疗科目; a sub-code shows its first level."""
    return label("subject", code.split(".", maxsplit=1)[0])
