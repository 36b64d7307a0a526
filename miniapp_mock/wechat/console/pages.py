"""What happened, and switches that break things."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.wechat.clock import local
from miniapp_mock.wechat.control import set_faults
from miniapp_mock.wechat.faults import DECLARED, FLAG, SECONDS, SHARE, BadField
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.pay import notifications, orders
from miniapp_mock.wechat.phone.screen import go, read_form, refuse, show


def routes() -> list[Route]:
    return [
        Route("/console", _console),
        Route("/console/faults", _set_faults, methods=["POST"]),
        Route("/console/notifications/{id}/again", _again, methods=["POST"]),
    ]


async def _console(request: Request) -> Response:
    mock = mock_of(request)
    values = mock.faults.as_dict()
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, fault in DECLARED.items():
        entry = {"name": name, "fault": fault, "value": values.get(name)}
        groups.setdefault(fault.group, []).append(entry)
    return show(
        request,
        "console.html",
        groups=groups,
        active=len(values),
        orders=_orders(mock),
        refunds=_refunds(mock),
        notifications=notifications.described(mock, 30),
        now=f"{mock.clock.local():%Y-%m-%d %H:%M:%S}",
        kind=mock.settings.merchant_kind,
    )


async def _set_faults(request: Request) -> Response:
    """An empty or unticked field is a fault that is off."""
    form = {name: values[0].strip() for name, values in (await read_form(request)).items()}
    try:
        values = {name: _value(name, text) for name, text in form.items() if text}
        set_faults(mock_of(request), values)
    except BadField as problem:
        return refuse(request, f"开关 {problem.field} 的值不对：{problem.message}")
    return go("/console")


async def _again(request: Request) -> Response:
    await read_form(request)
    if not notifications.send_again(mock_of(request), request.path_params["id"]):
        return refuse(request, "没有这条通知", status=404)
    return go("/console#notifications")


def _value(name: str, text: str) -> Any:
    kind = DECLARED[name].kind if name in DECLARED else ""
    if kind in {SHARE, SECONDS}:
        try:
            return float(text)
        except ValueError:
            raise BadField(name, "expected a number") from None
    return text == "on" if kind == FLAG else text


def _orders(mock: Mock) -> list[dict[str, Any]]:
    rows = mock.store.all("SELECT * FROM orders ORDER BY made_at DESC LIMIT 50")
    return [
        {
            "number": row["out_trade_no"],
            "what": row["description"],
            "fen": row["total"],
            "state": orders.WORDS[orders.state_of(mock, row)],
            "payer": _name(mock, row["openid"]),
            "at": _time(row["paid_at"] or row["made_at"]),
        }
        for row in rows
    ]


def _refunds(mock: Mock) -> list[dict[str, Any]]:
    rows = mock.store.all("SELECT * FROM refunds ORDER BY made_at DESC LIMIT 50")
    return [
        {
            "number": row["out_refund_no"],
            "order": row["out_trade_no"],
            "fen": row["amount"],
            "state": row["status"],
            "at": _time(row["settled_at"] or row["made_at"]),
        }
        for row in rows
    ]


def _name(mock: Mock, openid: str) -> str:
    person = mock.people.find(openid)
    return person.owner_name if person else openid


def _time(seconds: float) -> str:
    return f"{local(seconds):%m-%d %H:%M:%S}"
