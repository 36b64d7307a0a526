"""The desk of what the centre refused."""

from backend.desk.declared import DeskCall, Shown, action, page
from backend.e_prescription import queries, routes
from backend.e_prescription.service import DESK
from backend.e_prescription.states import E_PRESCRIPTION
from backend.edge import CLERK, PHARMACIST


async def listed(call: DeskCall) -> Shown:
    """What waits for a person, and the last ones."""
    words = {
        "refused": await queries.listed(call.session, problems=True),
        "newest": await queries.listed(call.session, problems=False, limit=20), "labels": E_PRESCRIPTION.labels,
        "offered": call.app.e_prescriptions.offered,
    }  # fmt: skip
    return Shown("e_prescription/listed.html", words)


LIST = page(
    "/desk/e-prescriptions",
    listed,
    title="医保电子处方",
    roles=[PHARMACIST, CLERK],
    menu="医保电子处方",
    live=[DESK],
)
PAGES = [LIST]
ACTIONS = [
    action("/desk/e-prescriptions/{id}/retry", routes.ENDPOINTS, routes.retry, back=LIST, then="/desk/e-prescriptions",
           said="已重新提交，请稍后查看。"),
]  # fmt: skip
