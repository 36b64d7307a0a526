"""A disease that the hospital's list does not have: named by the patient, and a paper uploaded for the doctor to judge."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from foundation.web.parsing import read_body
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.guard import FILE_LIMIT
from miniapp_mock.front.pages.booking import BOOK, decided
from miniapp_mock.front.pages.persons import person
from miniapp_mock.front.screen import go, patient, screen_of, show
from miniapp_mock.front.streams import pass_file

KINDS = {"discharge_summary": "出院小结", "outpatient_record": "门诊病历"}


async def disease(request: Request) -> Response:
    """Which disease it is, by name; `words` are the hospital's where it wrote no code."""
    row = await person(request)
    words = request.query_params.get("words", "")[:60]
    return await show(request, "patient/book_disease.html", back=f"/book/{row['id']}", row=row, words=words)


async def diseases(request: Request) -> Response:
    """What the code list has, as a fragment."""
    words = request.query_params.get("q", "").strip()[:40]
    found = await patient(request).get("/diseases", q=words) if words else []
    return await show(
        request,
        "patient/book_diseases.html",
        found=found,
        words=words,
        row={"id": path_id(request, "person_id")},
    )


async def papers(request: Request, problem: Refused | None = None, typed: Form | None = None) -> Response:
    """The papers for a disease: what is there, one more, and on to the decision."""
    row = await person(request)
    code, name = (request.query_params.get(key, "")[:60] for key in ("code", "name"))
    if not code:
        return go(f"/book/{row['id']}/disease")
    found = await patient(request).get(f"/persons/{row['id']}/papers")
    return await show(
        request, "patient/book_papers.html", back=f"/book/{row['id']}", row=row, code=code, name=name, found=found,
        kinds=KINDS, problem=problem, typed=typed or {}, status=problem.status if problem else 200,
        latest=screen_of(request).clock.today().isoformat(),
    )  # fmt: skip


async def upload(request: Request) -> Response:
    """A picture, sent by the page's script."""
    data = await read_body(request, FILE_LIMIT)
    api, path = patient(request), f"/persons/{path_id(request, 'person_id')}/papers"
    query = f"?kind={_word(request, 'kind')}&dated={_word(request, 'dated')}"
    return JSONResponse(await api.upload(path + query, data, request.headers.get("content-type", "")))


def _word(request: Request, name: str) -> str:
    """A plain word of the query: nothing else is put into an address."""
    return "".join(
        one
        for one in request.query_params.get(name, "")[:20]
        if one.isascii() and (one.isalnum() or one in "-_")
    )


async def picture(request: Request) -> Response:
    """A paper of hers."""
    return await pass_file(patient(request), f"/papers/{path_id(request, 'paper_id')}?size=small")


async def remove(request: Request) -> Response:
    """Take a paper back."""
    await read_form(request)
    await patient(request).delete(f"/papers/{path_id(request, 'paper_id')}")
    return go(f"/book/{path_id(request, 'person_id')}/papers?{request.url.query}")


async def ask(request: Request) -> Response:
    """Decide on what is there."""
    row, form = await person(request), await read_form(request)
    api = patient(request)
    waiting: list[Any] = await api.get(f"/persons/{row['id']}/papers")
    body = {
        "person_id": row["id"], "diagnosis_code": form.get("diagnosis_code", ""),
        "paper_ids": [one["id"] for one in waiting],
    }  # fmt: skip
    try:
        decision = await api.post("/eligibility/with-papers", body)
    except Refused as refused:
        if refused.status not in (404, 409, 422):
            raise
        return await papers(request, refused, form)
    return await decided(request, row, form, decision)


PAPER = f"{BOOK}/papers/{{paper_id:uuid}}"
ROUTES: list[BaseRoute] = [
    Route(f"{BOOK}/disease", disease),
    Route(f"{BOOK}/diseases", diseases),
    Route(f"{BOOK}/papers", papers, methods=["GET"]),
    Route(f"{BOOK}/papers", upload, methods=["POST"]),
    Route(f"{BOOK}/papers/ask", ask, methods=["POST"]),
    Route(PAPER, picture),
    Route(f"{PAPER}/remove", remove, methods=["POST"]),
]
