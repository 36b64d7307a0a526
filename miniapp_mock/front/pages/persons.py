"""Who is seen: oneself by real name, children by their guardian, other adults by the code they give."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foundation.errors import NotFound
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import local_path, path_id, read_form
from miniapp_mock.front.screen import go, patient, screen_of, show

KINDS = {"self": "本人", "guardian": "监护的孩子", "proxy": "代办的家人"}
CONSENT = "informed_consent"


async def person(request: Request) -> dict[str, Any]:
    """The person in the path, if this account may act for them."""
    wanted = path_id(request, "person_id")
    for row in await patient(request).get("/persons"):
        if row["id"] == wanted:
            return dict(row)
    raise NotFound("没有找到该就诊人")


async def list_all(request: Request) -> Response:
    """Everybody this account may act for."""
    rows = await patient(request).get("/persons")
    has_self = any(row["kind"] == "self" for row in rows)
    return await show(
        request, "patient/persons.html", back="/mine", rows=rows, kinds=KINDS, has_self=has_self
    )


async def details(request: Request) -> Response:
    """One person: what is known, consent, codes for others."""
    row = await person(request)
    return await show(request, "patient/person.html", back="/persons", row=row, kinds=KINDS)


async def ask_name(request: Request, typed: Any = None, problem: Refused | None = None) -> Response:
    """The form for oneself or for a child."""
    kind = "guardian" if request.query_params.get("kind") == "guardian" else "self"
    following = local_path(request.query_params.get("next", ""), "")
    return await show(
        request, "patient/person_new.html", back="/persons", kind=kind, following=following, typed=typed or {},
        problem=problem, status=problem.status if problem else 200,
    )  # fmt: skip


async def verify(request: Request) -> Response:
    """Real-name check and registration; then the consent, which nothing can be booked without."""
    form = await read_form(request)
    kind = "guardian" if request.query_params.get("kind") == "guardian" else "self"
    body = {
        "name": form.get("name", ""),
        "id_number": form.get("id_number", "").replace(" ", ""),
        "kind": kind,
    }
    if kind == "guardian":
        body["relation"] = form.get("relation", "")
    try:
        made = await patient(request).post("/persons", body)
    except Refused as refused:
        if refused.code == "phone_not_bound":
            return go("/phone?next=/persons/new")
        if refused.status == 401:
            raise
        return await ask_name(request, form, refused)
    following = local_path(request.query_params.get("next", ""), "/persons")
    consent = f"/persons/{made['id']}/consent?{urlencode({'next': following})}"
    return go(following if made["consented"] else consent)


async def make_code(request: Request) -> Response:
    """A code that lets somebody else act for this person; shown once, as a fragment."""
    row, form = await person(request), await read_form(request)
    scope = [name for name in ("book", "records", "private") if form.get(name) == "1"] or ["book"]
    code = await patient(request).post(f"/persons/{row['id']}/grant-codes", {"scope": scope})
    until = screen_of(request).clock.timestamp() + code["seconds"]
    return await show(request, "patient/grant_code.html", code=code["code"], until=until * 1000)


async def ask_code(request: Request, typed: Any = None, problem: Refused | None = None) -> Response:
    """The form for another adult's code."""
    return await show(
        request, "patient/grant_new.html", back="/persons", typed=typed or {}, problem=problem,
        status=problem.status if problem else 200,
    )  # fmt: skip


async def redeem(request: Request) -> Response:
    """Become the proxy of the adult who gave the code."""
    form = await read_form(request)
    body = {"code": form.get("code", "").replace(" ", ""), "relation": form.get("relation", "")}
    try:
        await patient(request).post("/grants", body)
    except Refused as refused:
        if refused.status == 401:
            raise
        return await ask_code(request, form, refused)
    return go("/persons")


async def give_up(request: Request) -> Response:
    """Act for this person no longer."""
    row = await person(request)
    await patient(request).delete(f"/persons/{row['id']}/grants/{row['grant_id']}")
    return go("/persons")


async def show_consent(request: Request, problem: Refused | None = None) -> Response:
    """The text that is in force, and whether it is agreed to."""
    row = await person(request)
    document = await screen_of(request).api.get(f"/documents/{CONSENT}")
    following = local_path(request.query_params.get("next", ""), f"/persons/{row['id']}")
    return await show(
        request, "patient/consent.html", back=f"/persons/{row['id']}", row=row, text=document, following=following,
        problem=problem, status=problem.status if problem else 200,
    )  # fmt: skip


async def give_consent(request: Request) -> Response:
    """Agree to exactly the version that was shown."""
    form = await read_form(request)
    body = {"kind": CONSENT, "version": form.get("version", ""), "content_hash": form.get("content_hash", "")}
    try:
        await patient(request).post(
            f"/persons/{path_id(request, 'person_id')}/consents", body, once=form.get("once", "")
        )
    except Refused as refused:
        if refused.status == 401:
            raise
        return await show_consent(request, refused)
    return go(local_path(request.query_params.get("next", ""), "/persons"))


async def withdraw_consent(request: Request) -> Response:
    """Take it back."""
    person_id = path_id(request, "person_id")
    await patient(request).delete(f"/persons/{person_id}/consents/{CONSENT}")
    return go(f"/persons/{person_id}")


ROUTES: list[BaseRoute] = [
    Route("/persons", list_all),
    Route("/persons/new", ask_name, methods=["GET"]),
    Route("/persons/new", verify, methods=["POST"]),
    Route("/persons/{person_id:uuid}", details),
    Route("/persons/{person_id:uuid}/grant-codes", make_code, methods=["POST"]),
    Route("/persons/{person_id:uuid}/give-up", give_up, methods=["POST"]),
    Route("/persons/{person_id:uuid}/consent", show_consent, methods=["GET"]),
    Route("/persons/{person_id:uuid}/consent", give_consent, methods=["POST"]),
    Route("/persons/{person_id:uuid}/consent/withdraw", withdraw_consent, methods=["POST"]),
    Route("/grants/new", ask_code, methods=["GET"]),
    Route("/grants/new", redeem, methods=["POST"]),
]
