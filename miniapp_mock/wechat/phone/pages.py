"""The phone itself: choose one, look into its inbox, open the hospital's mini program."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.wechat.clock import minute
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.open.links import open_link
from miniapp_mock.wechat.people import Person
from miniapp_mock.wechat.phone.api import mark_read
from miniapp_mock.wechat.phone.owner import COOKIE, current, owner
from miniapp_mock.wechat.phone.screen import go, local_path, refuse, show

ROLES = (("patient", "患者"), ("doctor", "医生"), ("pharmacist", "药师"))


def routes() -> list[Route]:
    return [
        Route("/", _home),
        Route("/phone", _choose),
        Route("/phone/{openid}", _phone),
        Route("/phone/{openid}/use", _use, methods=["GET", "POST"]),
        Route("/phone/{openid}/open", _open_app),
        Route("/phone/{openid}/messages/{id:int}/open", _open_message),
        Route("/u/{token}", _open_link),
    ]


async def _home(_: Request) -> Response:
    return go("/phone")


async def _choose(request: Request) -> Response:
    mock = mock_of(request)
    following = local_path(request.query_params.get("next", "")) or ""
    people = [one for one in mock.people.all() if one.role != "crowd"]
    named = {role for role, _ in ROLES}
    groups = [(title, [one for one in people if one.role == role]) for role, title in ROLES]
    groups.append(("其他", [one for one in people if one.role not in named]))
    return show(
        request,
        "choose.html",
        groups=[group for group in groups if group[1]],
        following=following,
        chosen=current(request),
        unread=_unread(mock),
    )


async def _phone(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    return show(
        request,
        "phone.html",
        person=person,
        entries=_entries(mock, person),
        newest=mock.store.number("SELECT max(id) FROM messages WHERE openid = ?", person.openid),
    )


async def _use(request: Request) -> Response:
    person = owner(request)
    following = local_path(request.query_params.get("next", "")) or f"/phone/{person.openid}"
    return _becoming(person, following)


async def _open_app(request: Request) -> Response:
    return _becoming(owner(request), f"{mock_of(request).settings.front_url}/")


async def _open_message(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    url = mark_read(mock, person.openid, request.path_params["id"])
    if url is None:
        raise HTTPException(404, "没有这条消息")
    return _becoming(person, url or f"/phone/{person.openid}")


async def _open_link(request: Request) -> Response:
    url = open_link(mock_of(request), request.path_params["token"])
    return go(url) if url else refuse(request, "链接不存在或已过期", status=404)


def _becoming(person: Person, url: str) -> Response:
    """This browser plays that phone from now on."""
    answer = go(url)
    answer.set_cookie(COOKIE, person.openid, httponly=True, samesite="lax", max_age=30 * 86_400)
    return answer


def _unread(mock: Mock) -> dict[str, int]:
    rows = mock.store.all("SELECT openid, count(*) AS n FROM messages WHERE read_at IS NULL GROUP BY openid")
    return {row["openid"]: row["n"] for row in rows}


def _entries(mock: Mock, person: Person) -> list[dict[str, Any]]:
    """Messages, payments and refunds of this phone, newest first."""
    entries: list[dict[str, Any]] = []
    for row in mock.store.all(
        "SELECT * FROM orders WHERE openid = ? AND paid_at IS NOT NULL ORDER BY paid_at DESC LIMIT 50",
        person.openid,
    ):
        lines = [("收款方", mock.people.merchant), ("商品", row["description"])]
        entries.append(_money("支付成功", row["total"], row["paid_at"], lines))
    for row in mock.store.all(
        "SELECT refunds.*, orders.description FROM refunds JOIN orders USING (out_trade_no) "
        "WHERE openid = ? AND refunds.status = 'SUCCESS' ORDER BY settled_at DESC LIMIT 50",
        person.openid,
    ):
        lines = [("退款方", mock.people.merchant), ("退回", row["received_account"])]
        entries.append(_money("退款到账", row["amount"], row["settled_at"], lines))
    entries += [_message(mock, row) for row in _messages(mock, person)]
    return sorted(entries, key=lambda entry: -entry["at"])


def _messages(mock: Mock, person: Person) -> list[Any]:
    rows = mock.store.all("SELECT * FROM messages WHERE openid = ? ORDER BY id DESC LIMIT 100", person.openid)
    return [row for row in rows if row["template_id"] in mock.templates]


def _message(mock: Mock, row: Any) -> dict[str, Any]:

    template = mock.templates[row["template_id"]]
    data = json.loads(row["data"])
    return {
        "kind": row["kind"],
        "id": row["id"],
        "title": template.title,
        "lines": [(label, data[key]) for key, label in template.fields.items() if key in data],
        "leads": bool(row["url"]),
        "read": row["read_at"] is not None,
        "at": row["sent_at"],
        "when": minute(row["sent_at"]),
    }


def _money(title: str, fen: int, at: float, lines: list[tuple[str, str]]) -> dict[str, Any]:
    return {"kind": "pay", "title": title, "fen": fen, "lines": lines, "at": at, "when": minute(at)}
