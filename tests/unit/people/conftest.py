"""One small world for the tests of this folder."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from standalone.people import make_world

TODAY = date(2026, 11, 22)
ReadFile = Callable[[str], Any]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, "s", 7, today=TODAY)
    return folder


@pytest.fixture(scope="session")
def read(world: Path) -> ReadFile:
    def one(name: str) -> Any:
        return json.loads((world / name).read_bytes())

    return one
