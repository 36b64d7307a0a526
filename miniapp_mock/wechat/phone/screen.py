"""How a page is made: one jinja2 environment, a strict policy, forms from our own pages only."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from miniapp_mock.wechat.clock import minute
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.open.pages_of_the_app import is_under
from miniapp_mock.wechat.pay.bill_rows import yuan

_PAGES = Environment(
    loader=PackageLoader("miniapp_mock.wechat"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_PAGES.filters |= {"yuan": yuan, "minute": minute}


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    mock = mock_of(request)
    html = _PAGES.get_template(template).render(merchant=mock.people.merchant, **values)
    return HTMLResponse(html, status_code=status, headers=_headers(mock))


def refuse(request: Request, message: str, *, status: int = 400) -> Response:
    return show(request, "refused.html", status=status, message=message)


def go(url: str) -> Response:
    return RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})


def choose_first(request: Request) -> Response:
    """No phone is chosen in this browser yet: choose one, then come back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return go(f"/phone?next={quote(here, safe='')}")


def local_path(value: str) -> str | None:
    """A path of this mock that a browser may be sent to."""
    fits = value.startswith("/") and not value.startswith("//") and "\\" not in value and value.isprintable()
    return value if fits else None


def front_address(mock: Mock, value: str) -> str | None:
    """An address of the front that a browser may be sent to."""
    return value if value and is_under(mock.settings.front_url, value) else None


def with_query(url: str, **values: str) -> str:
    """`url` with these parameters; those of the same name are replaced."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, True) if name not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()])))


async def read_form(request: Request) -> dict[str, list[str]]:
    """A posted form of one of our own pages. Another site's form is refused."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise HTTPException(403, "只接受本站页面提交的表单")
    async with request.form(max_files=0, max_fields=100) as form:
        return {name: [str(value) for value in form.getlist(name)] for name in form}


def _headers(mock: Mock) -> dict[str, str]:
    """`form-action` names the front, because a form's answer leads there."""
    front = urlsplit(mock.settings.front_url)
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action 'self' {front.scheme}://{front.netloc}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
