"""The scripts of both kinds of calls know which endings are endings."""

import re
from pathlib import Path

import pytest

from backend.video.wire import DETAILS

ROOT = Path(__file__).parents[3]
FINAL = {"replaced", "kicked", "time_over", "closed", "no_consent", "no_room", "room_full"}
SCRIPTS = ["miniapp_mock/front/static/video.js", "backend/desk/static/look_in.js"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_nobody_comes_again_by_herself_after_an_ending_that_was_meant(script: str) -> None:
    """Two tabs that take `replaced` for a lost line replace each other for ever."""
    found = re.search(r"const FINAL = new Set\(\[(.*?)\]\)", (ROOT / script).read_text(), re.DOTALL)
    assert found is not None
    known = set(re.findall(r'"(\w+)"', found[1]))

    assert FINAL <= known <= DETAILS.keys()
