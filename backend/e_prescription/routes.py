"""Looking at what is in circulation, and asking again."""

from datetime import datetime
from uuid import UUID

import msgspec

from backend.e_prescription import queries, service
from backend.e_prescription.model import EPrescriptionRow
from backend.e_prescription.states import E_PRESCRIPTION
from backend.edge import CLERK, DOCTOR, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.prescription import queries as prescriptions
from foundation.errors import NotFound
from foundation.web.endpoint import act, get


class EPrescriptionView(msgspec.Struct, frozen=True):
    """How far a prescription is with the centre."""

    id: UUID
    prescription_id: UUID
    state: str
    state_label: str
    hi_rxno: str
    problem: str
    uploaded_at: datetime | None


def view(row: EPrescriptionRow) -> EPrescriptionView:
    """From the row."""
    return EPrescriptionView(
        row.id, row.prescription_id, row.state, E_PRESCRIPTION.labels[row.state], row.hi_rxno, row.problem,
        row.uploaded_at,
    )  # fmt: skip


async def of_prescription(call: ApiCall) -> EPrescriptionView:
    """Of one prescription."""
    one = await prescriptions.visible(call.session, call.actor, call.id())
    row = await queries.of_prescription(call.session, one.id)
    if row is None:
        raise NotFound("没有上传医保电子处方中心", code="not_uploaded")
    return view(row)


async def troubled(call: ApiCall) -> list[EPrescriptionView]:
    """What waits for a person."""
    return [view(one.row) for one in await queries.listed(call.session, problems=True)]


async def retry(call: ApiCall) -> EPrescriptionView:
    """Once more, now."""
    return view(await service.retry(call.session, call.actor, call.id()))


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    get("/prescriptions/{id}/e-prescription", of_prescription, reply=EPrescriptionView, summary="医保电子处方", family=FAMILY,
        roles=[DOCTOR, PHARMACIST]),
    get("/e-prescriptions", troubled, reply=list[EPrescriptionView], summary="待处理的医保电子处方", family=FAMILY,
        roles=[PHARMACIST, CLERK]),
    act("POST", "/e-prescriptions/{id}/retry", retry, reply=EPrescriptionView, summary="重新上传医保电子处方", family=FAMILY,
        roles=[PHARMACIST, CLERK]),
]  # fmt: skip
