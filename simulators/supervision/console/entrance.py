"""Signing in and out."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console.sessions import COOKIE, LIFE_SECONDS, Outcome
from simulators.supervision.console.shell import Shell, words_of
from simulators.supervision.settings import Supervisor

WRITTEN = {
    Outcome.IN: "session.sign_in", Outcome.WRONG: "session.failed", Outcome.LOCKED: "session.locked",
}  # fmt: skip
"""Lines of the trail; tries during a pause are none, or anybody could fill it."""
PROBLEMS = {
    Outcome.WRONG: ("账号或密码不正确，请重新输入。", 403),
    Outcome.LOCKED: ("账号或密码不正确。多次输入错误，请五分钟后再试。", 403),
    Outcome.PAUSED: ("密码多次输入错误，请五分钟后再试。", 429),
}


class Entrance:
    """The only pages outside the login."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.form, methods=["GET"]),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        if self._shell.sessions.whose(request.cookies.get(COOKIE)) is not None:
            return RedirectResponse("/", status_code=303)
        return self._shell.show("login.html", "登录", "/login", problem="", login="")

    async def enter(self, request: Request) -> Response:
        if (elsewhere := self._shell.foreign(request)) is not None:
            return elsewhere
        given = await words_of(request, "login", "password")
        login = given["login"]
        tried = self._shell.sessions.sign_in(login, given["password"])
        if action := WRITTEN.get(tried.outcome):
            await self._write(action, tried.who, request)
        if tried.outcome is not Outcome.IN:
            problem, status = PROBLEMS[tried.outcome]
            return self._shell.show(
                "login.html", "登录", "/login", problem=problem, login=login[:50], status=status
            )
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            COOKIE, tried.token, max_age=LIFE_SECONDS, httponly=True, samesite="strict",
            secure=self._shell.settings.secure_cookie,
        )  # fmt: skip
        return answer

    async def leave(self, request: Request) -> Response:
        if (elsewhere := self._shell.foreign(request)) is not None:
            return elsewhere
        who = self._shell.sessions.end(request.cookies.get(COOKIE))
        if who is not None:
            await self._write("session.sign_out", who, request)
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    async def _write(self, action: str, who: Supervisor, request: Request) -> None:
        address = request.client.host if request.client else ""
        await run_in_threadpool(self._shell.note_of, who, action, f"session {who.login}", address=address)
