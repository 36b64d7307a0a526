"""影像资料: the hospital's pictures, for the patient and for the doctor of a visit. One part of a page, or a page of its own.

A picture comes inside the page (a data address), so that a look is one call and nothing is left under an address to be fetched again.
"""

import re
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foundation.errors import NotFound
from miniapp_mock.front.backend_client import Api, Refused
from miniapp_mock.front.pages import doctor_visit, visits
from miniapp_mock.front.screen import is_fragment, show

PICTURES = ("image/jpeg", "image/png")
REFUSED = (403, 404, 422, 502, 503)
"""What is said in the part itself; the rest of the page stays."""
ZOOMS = ("1", "2", "3")
_STUDY = re.compile("[0-9a-f]{64}")


async def of_patient(request: Request) -> Response:
    """Her studies."""
    api, row, _, _ = await visits.load(request)
    return await _list(request, api, row["encounter_id"], "patient", f"/visits/{row['id']}")


async def one_of_patient(request: Request) -> Response:
    """One picture of hers."""
    api, row, _, _ = await visits.load(request)
    return await _picture(request, api, row["encounter_id"], "patient", f"/visits/{row['id']}")


async def of_doctor(request: Request) -> Response:
    """The studies of the doctor's patient. Each look is reported to the supervisor, so nobody looks by accident."""
    api, row = await doctor_visit.load(request)
    return await _list(request, api, row["id"], "doctor", f"/doctor/visits/{row['id']}")


async def one_of_doctor(request: Request) -> Response:
    """One picture of the doctor's patient."""
    api, row = await doctor_visit.load(request)
    return await _picture(request, api, row["id"], "doctor", f"/doctor/visits/{row['id']}")


async def _list(request: Request, api: Api, encounter: str | None, side: str, visit: str) -> Response:
    try:
        found = await api.get(f"/encounters/{encounter}/images") if encounter else {"studies": []}
    except Refused as refused:
        return await _refusal(request, refused, side, visit)
    return await _show(request, "image_list.html", side, visit, found=found)


async def _picture(request: Request, api: Api, encounter: str | None, side: str, visit: str) -> Response:
    study = request.path_params["study_id"]
    if not _STUDY.fullmatch(study):
        raise NotFound("没有找到这幅影像")
    asked = {
        name: request.query_params[name]
        for name in ("series", "instance", "frame", "window")
        if request.query_params.get(name)
    }
    try:
        found = await api.get(f"/encounters/{encounter}/images/{study}", **asked)
    except Refused as refused:
        return await _refusal(request, refused, side, visit)
    if found["media_type"] not in PICTURES:
        raise ValueError("a picture of another kind")
    base, window = f"{visit}/images/{study}", asked.get("window", "")
    zoom = request.query_params.get("zoom", "")
    return await _show(
        request, "image_picture.html", side, visit, found=found, window=window,
        zoom=zoom if zoom in ZOOMS else "1", zooms=ZOOMS,
        to=lambda place, window=window: _address(base, place, window),
    )  # fmt: skip


def _address(base: str, place: Any, window: str) -> str:
    asked = {**place, **({"window": window} if window else {})}
    return f"{base}?{urlencode(asked)}"


async def _refusal(request: Request, refused: Refused, side: str, visit: str) -> Response:
    if refused.status not in REFUSED or refused.code == "no_shift":
        raise refused
    return await _show(request, "image_list.html", side, visit, refused=refused)


async def _show(request: Request, part: str, side: str, visit: str, **values: Any) -> Response:
    values = {"found": None, "refused": None, "visit": visit, "side": side, "part": part, **values}
    if is_fragment(request):
        return await show(request, part, **values)
    back = f"{visit}/images" if part == "image_picture.html" else visit
    return await show(request, f"{side}/images.html", back=back, **values)


PATIENT = "/visits/{visit_id:uuid}/images"
DOCTOR = "/doctor/visits/{id:uuid}/images"
ROUTES: list[BaseRoute] = [
    Route(PATIENT, of_patient),
    Route(PATIENT + "/{study_id}", one_of_patient),
    Route(DOCTOR, of_doctor),
    Route(DOCTOR + "/{study_id}", one_of_doctor),
]
