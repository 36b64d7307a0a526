"""Signing in and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console.sessions import COOKIE, LIFE_SECONDS, LockedError
from simulators.supervision.console.shell import Shell, words_of


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
        given = await words_of(request, "login", "password")
        login = given["login"]
        try:
            token = self._shell.sessions.sign_in(login, given["password"])
            problem, status = "账号或密码不正确，请重新输入。", 403
        except LockedError:
            token, problem, status = None, "密码多次输入错误，请五分钟后再试。", 429
        if token is None:
            return self._shell.show(
                "login.html", "登录", "/login", problem=problem, login=login[:50], status=status
            )
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            COOKIE, token, max_age=LIFE_SECONDS, httponly=True, samesite="strict",
            secure=self._shell.settings.secure_cookie,
        )  # fmt: skip
        return answer

    async def leave(self, request: Request) -> Response:
        self._shell.sessions.end(request.cookies.get(COOKIE))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer
