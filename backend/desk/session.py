"""The desk's session: the API's opaque token in a `__Host-` cookie, and forms that only our own pages can send."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from foundation.errors import BadRequest, Forbidden
from foundation.web.parsing import read_body

COOKIE = "__Host-desk"
HOME = "/desk"
CSRF_FIELD = "csrf"
LARGEST_FORM = 100_000
FORM = "application/x-www-form-urlencoded"


def token_of(request: Request) -> str:
    """The token the browser brought, or nothing. Only pages read it: the JSON API takes bearer tokens alone."""
    return request.cookies.get(COOKIE, "")


def keep(response: Response, token: str) -> None:
    """Give the browser the session; it ends with the browser, and earlier with the token."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    """Take the session away."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def csrf_of(token: str) -> str:
    """What a form of this session carries; says nothing about the token."""
    return hashlib.sha256(b"desk form\n" + token.encode()).hexdigest() if token else ""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, trimmed; a field sent twice counts once, its last value.

    What is ticked of several (`items[]`) is `items`, its values separated by blanks.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise BadRequest("表单格式不正确")
    raw = await read_body(request, LARGEST_FORM)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise BadRequest("表单格式不正确") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        several, key = name.endswith("[]"), name.removesuffix("[]")
        before = form.get(key, "") if several else ""
        form[key] = f"{before} {value.strip()}".strip().replace("\r\n", "\n")
    return form


def check_origin(request: Request) -> None:
    """`Forbidden` unless a page of this very host sent the form: browsers say so, and nothing else may post here."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    host = urlsplit(request.headers.get("origin", "")).netloc
    if site != "same-origin" or not host or host != request.headers.get("host", ""):
        raise Forbidden("页面来源不正确，请从工作台页面操作", code="wrong_origin")


def check_csrf(request: Request, form: Mapping[str, str]) -> None:
    """`Forbidden` unless the form was made for this session."""
    check_origin(request)
    if not hmac.compare_digest(form.get(CSRF_FIELD, ""), csrf_of(token_of(request))):
        raise Forbidden("页面已过期，请刷新后重试", code="stale_form")


def safe_next(path: str) -> str:
    """Where to go after login: a path of the desk, never another site."""
    inside = path == HOME or path.startswith((HOME + "/", HOME + "?"))
    return path if inside and "\\" not in path and "//" not in path and len(path) <= 300 else HOME
