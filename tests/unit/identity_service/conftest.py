import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.identity.app import create_app, declared_faults
from simulators.identity.register import load
from simulators.identity.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import KEY, SECRET

RESIDENTS = [
    {"name": "张小明", "id_number": "310114198001010018"},
    {"name": "阿依古丽·买买提", "id_number": "31011419900202002X"},
]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    world = tmp_path / "identity.json"
    world.write_text(json.dumps(RESIDENTS, ensure_ascii=False), encoding="utf-8")
    return {
        "ENV": "test",
        "IDENTITY_WORLD": str(world),
        "IDENTITY_DATA": str(tmp_path / "data"),
        "IDENTITY_APP_KEY": KEY,
        "IDENTITY_SECRET": SECRET,
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[str]:
    settings = read(Reader(environment))
    app = create_app(settings, load(settings.world), Clock(), declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
        yield base
