"""The font of the sheets is the file that VENDOR.json names, with its licence."""

import hashlib
import json
from typing import Any

from backend.sheet.render import FONT

LISTED: list[dict[str, Any]] = json.loads((FONT.parent / "VENDOR.json").read_text(encoding="utf-8"))


def test_font_and_licence_are_the_listed_files_and_nothing_else_lies_there() -> None:
    named = {name: digest for one in LISTED for name, digest in one["files"].items()}
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FONT.parent.iterdir()
        if path.name != "VENDOR.json"
    }

    assert there == named
    assert {one["licence"] for one in LISTED} == {"OFL-1.1"}
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT.parent / "OFL.txt").read_text(encoding="utf-8")
