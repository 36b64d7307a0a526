"""The benchmark fails when what it measured was no video consultation."""

from typing import Any

import pytest

from tests.load.bench_video import problems

GOOD: dict[str, Any] = {"delivered": 0.998, "recordings_ok": True, "recordings_wrong": 0, "recordings": 16}


def test_whole_frames_and_recordings_pass() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("figure", "word"),
    [({"delivered": 0.98}, "98.00%"), ({"recordings_ok": False, "recordings_wrong": 3}, "3 of 16")],
)
def test_what_is_missing_fails_it(figure: dict[str, Any], word: str) -> None:
    (said,) = problems({**GOOD, **figure})

    assert word in said
