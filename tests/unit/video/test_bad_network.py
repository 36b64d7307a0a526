"""Loss and a short outage on the patient's way; longer ones are in `make drill-video`."""

from pathlib import Path

import pytest

from standalone.stores import StoreUrls
from tests.unit.video.bad_network import lacking
from tests.unit.video.suffering import ENOUGH, suffering

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")]


def test_lost_packets_are_repaired_and_a_short_outage_is_survived(stores: StoreUrls, tmp_path: Path) -> None:
    with suffering(stores, tmp_path) as call:
        call.network.loses(5)
        found = call.flows(5)
        assert min(found["patient"], found["doctor"]) >= ENOUGH, found

        assert call.outage(3, back_within=25) < 25
        found = call.flows(3)
        assert min(found["patient"], found["doctor"]) >= ENOUGH, found

        rows = call.hang_up()
        call.check(rows)
        (doctor,) = (row for row in rows if row.role == "doctor")
        patients = [row for row in rows if row.role == "patient"]
        recorded = sum(row.duration_ms for row in patients) / 1000
        assert recorded > doctor.duration_ms / 1000 - 3 - 25, (
            "the patient's recording went on after the outage"
        )
