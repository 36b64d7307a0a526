"""What a gateway's status means to a job: a refusal is for a desk, a hurry is for later."""

import ssl

import pytest

from backend.outside.his import Hospital, HospitalRefused
from contracts import his
from foundation.errors import NotFound, Unavailable
from tests.town import Town

pytestmark = pytest.mark.anyio

ASKED = his.FindPatient(purpose="follow_up", id_number="11010119900307109X", name="龚一")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(429, Unavailable), (500, Unavailable), (503, Unavailable), (404, NotFound), (403, HospitalRefused), (422, HospitalRefused)],
)  # fmt: skip
async def test_only_a_decision_of_the_hospitals_is_a_refusal(
    town: Town, status: int, meaning: type[Exception]
) -> None:
    town.gateway.refuses(status, "too_many" if status == 429 else "no")
    hospital = Hospital((town.gateway_url,), ssl.create_default_context())

    with pytest.raises(meaning):
        await hospital.call(ASKED, his.FindPatientReply)
    await hospital.close()
