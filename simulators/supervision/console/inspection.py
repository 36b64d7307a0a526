"""Pages of a look-in: asking the hospital, two pictures, a written conversation. What is refused is said in the hospital's words."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console.people import People
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import Shell
from simulators.supervision.console.typed import Typed
from simulators.supervision.console.visiting import visit_page
from simulators.supervision.hospital_door import HospitalDoor, Said
from simulators.supervision.oversight import reveals
from simulators.supervision.oversight.reveals import Reveal
from simulators.supervision.times import from_wire

WATCHING = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self' ws: wss:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
Ask = Callable[[Request], Awaitable[Response]]


class Inspection:
    """Behind the console's login."""

    def __init__(self, shell: Shell, door: HospitalDoor) -> None:
        self._shell, self._door = shell, door

    def routes(self) -> list[Route]:
        own = self._shell.signed_in
        return [
            Route("/visits/{visit_no}/look-in", own(self.open), methods=["POST"]),
            Route("/visits/{visit_no}/chat", own(self.chat), methods=["POST"]),
            Route("/look-ins/{id:uuid}", own(self.watch)),
            Route("/look-ins/{id:uuid}/tickets/{watches}", own(self.ticket), methods=["POST"]),
            Route("/look-ins/{id:uuid}/end", own(self.end), methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        visit_no, asked = await _asked(request)
        said = await self._door.ask("open-look-in", asked, asking())
        if said.problem:
            return await self._again("look-in.refused", visit_no, asked, said)
        number = str(said.body["look_in_id"])
        await self._note("look-in.open", visit_no, asked, look_in=number)
        where = f"/look-ins/{quote(number, safe='')}"
        return RedirectResponse(f"{where}?until={quote(str(said.body['ends_at']))}", status_code=303)

    async def watch(self, request: Request) -> Response:
        until = request.query_params.get("until", "")[:40]
        page = self._shell.show(
            "look_in.html", "旁看问诊", "/visits", look_in=str(request.path_params["id"]),
            until=_moment(until), parties={"patient": "患者", "doctor": "医生"},
        )  # fmt: skip
        page.headers["content-security-policy"] = WATCHING
        return page

    async def ticket(self, request: Request) -> Response:
        asked = {"look_in_id": str(request.path_params["id"]), "watches": request.path_params["watches"]}
        said = await self._door.ask("look-in-ticket", asked, asking())
        return JSONResponse(dict(said.body) | {"problem": said.problem}, said.status)

    async def end(self, request: Request) -> Response:
        number = str(request.path_params["id"])
        said = await self._door.ask("end-look-in", {"look_in_id": number}, asking())
        if said.problem:
            return self._shell.refused(said.problem, "/visits", said.status)
        await run_in_threadpool(self._ended, number)
        return RedirectResponse("/visits", status_code=303)

    async def chat(self, request: Request) -> Response:
        visit_no, asked = await _asked(request)
        lines: list[Any] = []
        while True:
            after = lines[-1]["sequence"] if lines else 0
            said = await self._door.ask("read-chat", asked | {"after": after}, asking())
            if said.problem:
                return await self._again("chat.refused", visit_no, asked, said)
            lines += said.body["lines"]
            if not said.body["more"] or not said.body["lines"]:
                break
        reveal, say = await run_in_threadpool(self._speech, visit_no)
        if reveal is None:
            await self._note("chat.read", visit_no, asked)
        else:
            await self._note("reveal.chat", visit_no, asked, reveal=str(reveal.id))
        shown = [one | {"at": from_wire(one["at"]), "text": say(str(one["text"]))} for one in lines]
        return self._shell.show(
            "chat.html", "问诊文字记录", "/visits", lines=shown, visit_no=visit_no, reveal=reveal
        )

    def _speech(self, visit_no: str) -> tuple[Reveal | None, Callable[[str], str]]:
        """How the conversation is shown: without its persons, in the clear under a reveal that is open."""
        with self._shell.database.reading() as connection:
            reveal = reveals.open_for(connection, visit_no, asking(), self._shell.clock.now())
            return reveal, str if reveal else People(connection).of_visit(visit_no).mask

    async def _note(self, action: str, visit_no: str, asked: Mapping[str, Any], **more: str) -> None:
        words = {name: str(asked[name])[:300] for name in ("authority", "reason")}
        await run_in_threadpool(self._shell.note, action, f"visit {visit_no}", **words, **more)

    def _ended(self, number: str) -> None:
        """A line about the visit that was looked at, where its beginning is known."""
        with self._shell.database.reading() as connection:
            begun = connection.execute(
                "SELECT subject FROM trail WHERE action = 'look-in.open' AND json_extract(detail, '$.look_in') = ?",
                (number,),
            ).fetchone()
        subject = begun["subject"] if begun else f"look-in {number}"
        self._shell.note("look-in.end", subject, look_in=number)

    async def _again(self, action: str, visit_no: str, asked: Mapping[str, Any], said: Said) -> Response:
        """The visit's page with what was typed and why the hospital would not; a line of the trail, too."""
        await self._note(action, visit_no, asked, why=said.problem)
        typed = Typed("ask", said.problem, asked)
        return await run_in_threadpool(visit_page, self._shell, visit_no, typed, said.status)


async def _asked(request: Request) -> tuple[str, dict[str, Any]]:
    form = await request.form()
    visit_no = str(request.path_params["visit_no"])
    words = {name: str(form.get(name, "")).strip() for name in ("authority", "reason")}
    return visit_no, {"visit_number": visit_no, **words}


def _moment(text: str) -> Any:
    try:
        return from_wire(text)
    except ValueError:
        return None
