"""Prescribing: the editor asks the review engine while drugs are chosen; saving and signing are the API's own verbs."""

from collections.abc import Awaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import path_id, read_form, read_json
from miniapp_mock.front.journey import RUNNING
from miniapp_mock.front.pages.doctor_login import needs_shift
from miniapp_mock.front.pages.doctor_visit import load
from miniapp_mock.front.screen import doctor, go, screen_of, show
from miniapp_mock.front.streams import pass_file
from miniapp_mock.front.words import on_the_shelf

CATEGORIES = {"legality": "合法性", "form": "规范性", "appropriateness": "适宜性"}
EDITABLE = ("draft", "returned")


async def new(request: Request) -> Response:
    """An empty prescription of a running visit."""
    _, row = await load(request)
    if row["state"] not in RUNNING:
        return go(f"/doctor/visits/{row['id']}")
    return await _editor(request, row, None)


async def prescription(request: Request, problem: Refused | None = None) -> Response:
    """One prescription: the editor while it may be changed, else the sheet."""
    api = doctor(request)
    one = await api.get(f"/prescriptions/{path_id(request, 'id')}")
    row = await api.get(f"/encounters/{one['encounter_id']}")
    if one["state"] in EDITABLE and row["state"] in (*RUNNING, "completed"):
        return await _editor(request, row, one, problem)
    return await show(
        request, "doctor/prescription.html", back=f"/doctor/visits/{row['id']}", row=row, one=one, problem=problem,
        categories=CATEGORIES, address=f"/doctor/prescriptions/{one['id']}",
        status=problem.status if problem else 200,
    )  # fmt: skip


async def _editor(request: Request, row: Any, one: Any, problem: Refused | None = None) -> Response:
    offered = await doctor(request).get(f"/encounters/{row['id']}/prescribing")
    stated = one or offered["before"] or {"stated": {}, "taking": [], "stated_at": None, "prescriber": ""}
    drugs: dict[str, Any] = {}
    for name in {item["name"] for item in one["items"]} if one else ():
        found = await _with_shelf(request, await doctor(request).get("/drugs", q=name))
        drugs |= {drug["code"]: drug for drug in found}
    return await show(
        request, "doctor/prescribe.html", back=f"/doctor/visits/{row['id']}", row=row, one=one, drugs=drugs,
        times={one["code"]: one for one in offered["frequencies"]}, categories=CATEGORIES, problem=problem,
        routes={one["code"]: one["name"] for one in offered["routes"]},
        offered=offered, stated=stated, carried=one is None,
        address=f"/doctor/prescriptions/{one['id']}" if one else request.url.path,
        status=problem.status if problem else 200,
    )  # fmt: skip


async def cancel(request: Request) -> Response:
    """Withdraw it."""
    form = await read_form(request)
    try:
        one = await doctor(request).post(
            f"/prescriptions/{path_id(request, 'id')}/cancel", {"reason": form.get("reason", "")}
        )
    except Refused as refused:
        if away := needs_shift(refused, request.url.path.removesuffix("/cancel")):
            return away
        if refused.status not in (403, 409, 422):
            raise
        return await prescription(request, refused)
    return go(f"/doctor/visits/{one['encounter_id']}")


async def sheet(request: Request) -> Response:
    """处方笺 as PDF, once the pharmacist has signed."""
    return await pass_file(doctor(request), f"/prescriptions/{path_id(request, 'id')}/sheet")


# what the editor's script asks for


async def drugs(request: Request) -> Response:
    """By name or pinyin initials."""
    found = await doctor(request).get("/drugs", q=request.query_params.get("q", ""))
    return JSONResponse(await _with_shelf(request, found))


async def _with_shelf(request: Request, drugs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each drug with what is said of it on the shelves: a note beside it, which is missing rather than in the way."""
    codes = ",".join(drug["code"] for drug in drugs)
    try:
        shelves = await doctor(request).get("/drugs/availability", codes=codes) if codes else []
    except Refused:
        return drugs
    known, today = {one["drug_code"]: one for one in shelves}, screen_of(request).clock.today()
    for drug in drugs:
        if (one := known.get(drug["code"])) is not None:
            drug["shelf"] = {"out": one["out"], "words": on_the_shelf(one, drug["pack_unit"], today)}
    return drugs


async def check(request: Request) -> Response:
    """What the engine says of the lines as they are."""
    path = f"/encounters/{path_id(request, 'id')}/prescriptions/check"
    return await _answer(doctor(request).post(path, await read_json(request)))


async def beside(request: Request) -> Response:
    """History and drugs for the column beside the editor; as every look, it is reported."""
    _, row = await load(request)
    found = await doctor(request).get(f"/encounters/{row['id']}/beside")
    return await show(request, "doctor/beside.html", row=row, beside=found, found=found["history"])


async def refills(request: Request) -> Response:
    """Earlier prescriptions; each line of them is a proposal."""
    return await _answer(_refills(request))


async def _refills(request: Request) -> Any:
    found = await doctor(request).get(f"/encounters/{path_id(request, 'id')}/refills")
    await _with_shelf(request, [line["drug"] for one in found for line in one["lines"] if line["drug"]])
    return found


async def dosage(request: Request) -> Response:
    """The calculator's answer: figures to read."""
    form = await read_form(request)
    names = ("weight", "height", "creatinine", "per_kg", "most", "strength")
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in names}
    try:
        age, times = int(form.get("age", "")), int(form.get("times", "1") or 1)
        body |= {
            "age": age,
            "times": times,
            "sex": form.get("sex", ""),
            "per_day": form.get("per_day") == "1",
        }
        found, problem = await doctor(request).post("/dosage", body), None
    except ValueError:
        found, problem = None, "请填写年龄和次数"
    except Refused as refused:
        if refused.status not in (400, 422):
            raise
        found, problem = None, "；".join(refused.fields.values()) or refused.detail
    return await show(request, "doctor/dosage.html", found=found, problem=problem)


async def create(request: Request) -> Response:
    """Save a new draft."""
    path = f"/encounters/{path_id(request, 'id')}/prescriptions"
    return await _answer(doctor(request).post(path, await read_json(request)))


async def change(request: Request) -> Response:
    """Save the changed one."""
    path = f"/prescriptions/{path_id(request, 'id')}"
    return await _answer(doctor(request).put(path, await read_json(request)))


async def sign(request: Request) -> Response:
    """Sign it."""
    return await _answer(doctor(request).post(f"/prescriptions/{path_id(request, 'id')}/sign"))


async def _answer(asked: Awaitable[Any]) -> Response:
    """What the API answers; of fields that are wrong, all their words in one sentence."""
    try:
        return JSONResponse(await asked)
    except Refused as refused:
        if refused.status != 422:
            raise
        words = "；".join(dict.fromkeys(_in_line(name) + said for name, said in refused.fields.items()))
        said = {
            "status": 422,
            "code": refused.code,
            "detail": words or refused.detail,
            "fields": refused.fields,
        }
        return JSONResponse(said, 422)


FACTS = {
    "pregnancy": "妊娠", "lactation": "哺乳", "egfr": "肾小球滤过率", "liver": "肝功能", "weight_kg": "体重",
    "taking": "正在服用的药", "skin_tests": "皮试",
}  # fmt: skip


def _in_line(name: str) -> str:
    """`items.0.dose` → 第 1 行：, `patient.egfr` → 肾小球滤过率：."""
    parts = name.split(".")
    if parts[0] == "patient" and parts[1:2] and parts[1] in FACTS:
        return f"{FACTS[parts[1]]}："
    return f"第 {int(parts[1]) + 1} 行：" if parts[0] == "items" and parts[1:2] and parts[1].isdigit() else ""


RX = "/doctor/prescriptions/{id:uuid}"
ROUTES: list[BaseRoute] = [
    Route("/doctor/drugs", drugs),
    Route("/doctor/visits/{id:uuid}/prescriptions/new", new),
    Route("/doctor/encounters/{id:uuid}/prescriptions/check", check, methods=["POST"]),
    Route("/doctor/encounters/{id:uuid}/prescriptions", create, methods=["POST"]),
    Route("/doctor/encounters/{id:uuid}/refills", refills),
    Route("/doctor/visits/{id:uuid}/beside", beside),
    Route("/doctor/dosage", dosage, methods=["POST"]),
    Route(RX, prescription, methods=["GET"]),
    Route(f"{RX}/sheet", sheet),
    Route(RX, change, methods=["PUT"]),
    Route(f"{RX}/sign", sign, methods=["POST"]),
    Route(f"{RX}/cancel", cancel, methods=["POST"]),
]
