"""`make run EPC=1`: both sides of the e-prescription centre, each wired by standalone, understand one another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.outside.e_prescription import Centre, EPrescriptionRefused, Seal
from backend.settings import Settings
from foundation.clock import Clock
from foundation.settings import load
from simulators.eprescription.app import create_app, declared_faults
from simulators.eprescription.settings import read
from simulators.server import Clock as SimulatorClock
from simulators.server import Listener, Reader, in_background
from standalone import options
from standalone.installation import Installation
from standalone.processes import BY_NAME
from standalone.system import System
from standalone.wiring import environment

pytestmark = pytest.mark.anyio
ON = {"EPC": "1"}


def backend(installation: Installation, caller: dict[str, str]) -> Settings:
    return load(Settings, environment(BY_NAME["worker"], installation, "development", caller))


async def chosen(folder: Path, environ: dict[str, str]) -> set[str]:
    system = System(folder, environ=environ | {"FORK": "0"})
    try:
        return {one.name for one in system.chosen()}
    finally:
        await system.close()


@pytest.fixture
async def centre(installation: Installation) -> AsyncIterator[Centre]:
    app = create_app(
        read(Reader(environment(BY_NAME["eprescription"], installation, "test", ON))),
        SimulatorClock(), declared_faults(),
    )  # fmt: skip
    given = backend(installation, ON)
    with in_background([Listener(app, "127.0.0.1", 0)]) as (url,):
        made = Centre(url, Seal(given.epc_app_id, given.epc_app_secret), Clock())
        yield made
        await made.close()


async def test_what_the_backend_seals_the_stand_in_opens_and_answers(centre: Centre) -> None:
    assert await centre.query("RX-UNKNOWN") is None
    with pytest.raises(EPrescriptionRefused, match="没有该处方"):
        await centre.undo("HI1", "试试")


async def test_it_is_off_unless_somebody_asks(installation: Installation, tmp_path: Path) -> None:
    assert backend(installation, {}).epc_url == ""
    assert backend(installation, ON).epc_url == BY_NAME["eprescription"].url(8000)
    cases: list[tuple[dict[str, str], bool]] = [({}, False), ({"EPC": "0"}, False), (ON, True)]
    for environ, there in cases:
        assert ("eprescription" in await chosen(tmp_path, environ)) is there
    assert options.read({}).environ["EPC"] == "0"
    with pytest.raises(ValueError, match="EPC"):
        options.read({"EPC": "yes"})


async def test_a_real_centre_is_named_by_the_caller_and_then_the_stand_in_stays_away(
    installation: Installation, tmp_path: Path
) -> None:
    real = {
        "EPC_URL": "https://epc.example.org", "EPC_APP_ID": "0123456789ABCDEF", "EPC_APP_SECRET": "secret",
        "EPC_FIXMEDINS_CODE": "H31", "EPC_FIXMEDINS_NAME": "示范医院",
    }  # fmt: skip

    assert backend(installation, real).epc_url == "https://epc.example.org"
    assert "eprescription" not in await chosen(tmp_path, ON | real)
