"""LIS and RIS read all of a hospital at their start: of a large one they are left out, and the HIS's own reports count."""

import json
from pathlib import Path

import pytest

from foundation.settings import load
from front_gateway.settings import Settings, mistakes
from standalone.installation import LARGE, Installation
from standalone.paths import DataFolder
from standalone.processes import BY_NAME
from standalone.system import System
from standalone.wiring import environment

pytestmark = pytest.mark.anyio


def world_of(folder: DataFolder, residents: int) -> None:
    folder.world.mkdir(parents=True, exist_ok=True)
    (folder.world / "world.json").write_text(json.dumps({"residents": residents}), encoding="utf-8")


async def chosen(folder: Path, size: str = "m") -> set[str]:
    system = System(folder, environ={"FORK": "0"}, size=size)
    try:
        return {one.name for one in system.chosen()}
    finally:
        await system.close()


@pytest.mark.parametrize(("residents", "there"), [(LARGE, True), (LARGE + 1, False)])
async def test_above_so_many_residents_their_simulator_is_not_started_and_no_gateway_asks_it(
    installation: Installation, tmp_path: Path, residents: int, there: bool
) -> None:
    for folder in (installation.folder, DataFolder(tmp_path)):
        world_of(folder, residents)

    assert ("lis_ris" in await chosen(tmp_path)) is there
    for name in ("gateway-a", "gateway-b"):
        gateway = load(Settings, environment(BY_NAME[name], installation, "test", {}))
        assert (bool(gateway.lis_url), bool(gateway.ris_url)) == (there, there)
        assert [one for one in mistakes(gateway) if "LIS" in one or "RIS" in one] == []


@pytest.mark.parametrize(("size", "there"), [("m", True), ("xl", False)])
async def test_a_world_that_is_yet_to_be_made_is_judged_by_its_size(
    tmp_path: Path, size: str, there: bool
) -> None:
    assert ("lis_ris" in await chosen(tmp_path, size)) is there


async def test_a_hospital_of_somebody_else_has_systems_of_its_own(installation: Installation) -> None:
    elsewhere = {"HIS_URL": "https://his.example.org/fhir"}

    gateway = load(Settings, environment(BY_NAME["gateway-a"], installation, "test", elsewhere))

    assert (gateway.lis_url, gateway.ris_url) == ("", "")
