"""`make drill-video`: 2, 5 and 10 % loss, outages of 3, 12 and 40 seconds, on both engines.

Asserted on deltas of getStats and on the recordings: one segment per connection, each whole, and the last one reaches the end.
"""

from pathlib import Path

import pytest

from backend.video.janus_engine.process import INSTALL, program
from standalone.stores import StoreUrls
from tests.unit.video.bad_network import lacking
from tests.unit.video.suffering import ENOUGH, suffering

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")]
JANUS = pytest.param("janus", marks=pytest.mark.skipif(not program(), reason=f"no Janus here: {INSTALL}"))
ENGINES = pytest.mark.parametrize("engine", ["aiortc", JANUS])


@ENGINES
@pytest.mark.parametrize("percent", [2, 5, 10])
def test_lost_packets_are_repaired(stores: StoreUrls, tmp_path: Path, percent: int, engine: str) -> None:
    with suffering(stores, tmp_path, VIDEO_ENGINE=engine) as call:
        call.network.loses(percent)
        call.patient.wait_for_timeout(2000)
        found = call.flows(20, windows=2)
        print(f"\n{engine} {percent} % lost:", {name: round(value, 3) for name, value in found.items()})  # noqa: T201
        assert min(found["patient"], found["doctor"]) >= ENOUGH
        assert max(found["patient made up"], found["doctor made up"]) < percent / 100 * 1.5 + 0.03
        call.check(call.hang_up())


@ENGINES
@pytest.mark.parametrize("seconds", [3, 12, 40])
def test_an_outage_is_survived_and_the_recording_goes_on(
    stores: StoreUrls, tmp_path: Path, seconds: int, engine: str
) -> None:
    with suffering(stores, tmp_path, VIDEO_ENGINE=engine) as call:
        call.patient.wait_for_timeout(4000)
        back = call.outage(seconds, back_within=30)
        print(f"\n{engine} outage of {seconds} s: back after {back:.1f} s")  # noqa: T201
        found = call.flows(5)
        print(f"{engine}: {found['patient']:.2f} and {found['doctor']:.2f} of the frames")  # noqa: T201
        assert min(found["patient"], found["doctor"]) >= ENOUGH

        rows = call.hang_up()
        call.check(rows)
        patients = [row for row in rows if row.role == "patient"]
        doctors = [row for row in rows if row.role == "doctor"]
        assert len(patients) >= (2 if seconds > 10 else 1)
        last = max(row.started_at.timestamp() + row.last_pts_ms / 1000 for row in patients)
        end = max(row.started_at.timestamp() + row.last_pts_ms / 1000 for row in doctors)
        assert abs(last - end) < 2, "the patient's recording reaches the end of the call"
