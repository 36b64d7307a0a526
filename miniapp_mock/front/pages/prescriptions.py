"""A prescription from the pharmacist's approval to the patient's hands."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.screen import afresh, go, patient, screen_of, show
from miniapp_mock.front.streams import pass_events, pass_file

DELIVERY = "delivery.courier"
STEPS = ("开方", "审核", "支付", "配药", "收药")


async def load(request: Request) -> dict[str, Any]:
    """The prescription, its visit, its order, and how far it has come."""
    api = patient(request)
    row = await api.get(f"/prescriptions/{path_id(request, 'prescription_id')}")
    encounter = await api.get(f"/encounters/{row['encounter_id']}")
    dispense = await api.find(f"/prescriptions/{row['id']}/dispense")
    return {
        "row": row,
        "encounter": encounter,
        "dispense": dispense,
        "done": progress(row, dispense),
        "steps": STEPS,
    }


def progress(row: Any, dispense: Any) -> int:
    """How many of the five steps are done, -1 where it ended otherwise."""
    if row["state"] in ("cancelled", "expired", "returned", "draft"):
        return -1
    if dispense and dispense["state"] in ("declined", "cancelled", "stopped"):
        return -1
    if row["state"] in ("in-review", "checking"):
        return 1
    if not dispense or not dispense["paid_at"]:
        return 2
    return {"preparation": 3, "in-progress": 4, "completed": 5}.get(dispense["state"], 3)


async def prescription(
    request: Request, typed: Form | None = None, problem: Refused | None = None
) -> Response:
    """The page; with the form for delivery as long as nothing is ordered."""
    known = await load(request)
    prices = {one["code"]: one["amount"] for one in await screen_of(request).api.get("/prices")}
    encounter = known["encounter"]
    choosing = known["row"]["state"] == "approved" and not known["dispense"]
    ways = await patient(request).get(f"/prescriptions/{known['row']['id']}/ways") if choosing else None
    return await show(
        request, "patient/prescription.html", back=f"/visits/{encounter['appointment_id']}", fee=prices.get(DELIVERY), ways=ways,
        typed=typed or {"receiver.name": encounter["patient_name"]}, problem=problem,
        status=problem.status if problem else 200, **known,
    )  # fmt: skip


async def status(request: Request) -> Response:
    """The moving part: state, parcel. The form is not in it, what is being typed must not be touched; so when there has
    to be another form, the whole page is asked for again."""
    known = await load(request)
    if request.query_params.get("from") != f"{known['row']['state']}-{1 if known['dispense'] else 0}":
        return afresh()
    return await show(request, "patient/prescription_status.html", **known)


async def order(request: Request) -> Response:
    """Delivery or pick-up, then the bill. Asked again it leads to the same bill."""
    form = await read_form(request)
    body = {
        "method": form.get("method", ""),
        "receiver": {
            "name": form.get("receiver.name", ""),
            "phone": form.get("receiver.phone", "").replace(" ", ""),
            "address": form.get("receiver.address", ""),
        },
    }
    path = f"/prescriptions/{path_id(request, 'prescription_id')}/order"
    try:
        made = await patient(request).post(path, body, once=form.get("once", ""))
    except Refused as refused:
        if refused.status == 401:
            raise
        return await prescription(request, form, refused)
    return go(f"/payments/{made['payment_id']}")


async def events(request: Request) -> Response:
    """What changes: the stream of the visit it belongs to."""
    api = patient(request)
    row = await api.get(f"/prescriptions/{path_id(request, 'prescription_id')}")
    encounter = await api.get(f"/encounters/{row['encounter_id']}")
    return await pass_events(api, f"/appointments/{encounter['appointment_id']}/events")


async def sheet(request: Request) -> Response:
    """处方笺 as PDF, once the pharmacist has signed."""
    return await pass_file(patient(request), f"/prescriptions/{path_id(request, 'prescription_id')}/sheet")


async def evidence(request: Request) -> Response:
    """Its proof as a file, for the verifier."""
    return await pass_file(
        patient(request),
        f"/prescriptions/{path_id(request, 'prescription_id')}/evidence",
        save_as="prescription.json",
    )


PLACE = "/prescriptions/{prescription_id:uuid}"
ROUTES: list[BaseRoute] = [
    Route(PLACE, prescription, methods=["GET"]),
    Route(f"{PLACE}/status", status),
    Route(f"{PLACE}/order", order, methods=["POST"]),
    Route(f"{PLACE}/sheet", sheet),
    Route(f"{PLACE}/evidence", evidence),
    Route(f"{PLACE}/events", events),
]
