"""Messages into a phone's inbox: one-shot subscribe messages, and template messages of the service account."""

import json
from typing import Any

import msgspec
from starlette.requests import Request

from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open import consents, tokens
from miniapp_mock.wechat.open.errors import OpenError, read_json
from miniapp_mock.wechat.open.pages_of_the_app import address, is_page, is_under
from miniapp_mock.wechat.open.templates import SUBSCRIBE, TEMPLATE, Template

STATES = ("formal", "trial", "developer")
LANGUAGES = ("zh_CN", "en_US", "zh_HK", "zh_TW")


class SubscribeMessage(msgspec.Struct):
    touser: str = ""
    template_id: str = ""
    page: str = ""
    data: dict[str, Any] = {}
    miniprogram_state: str = "formal"
    lang: str = "zh_CN"


class MiniProgram(msgspec.Struct):
    appid: str = ""
    pagepath: str = ""


class TemplateMessage(msgspec.Struct):
    touser: str = ""
    template_id: str = ""
    url: str = ""
    miniprogram: MiniProgram | None = None
    data: dict[str, Any] = {}
    client_msg_id: str = ""


def send_subscribe(mock: Mock, request: Request, body: bytes) -> dict[str, Any]:
    """POST /cgi-bin/message/subscribe/send."""
    tokens.require(mock, request)
    message = read_json(body, SubscribeMessage)
    template = _check(mock, message.touser, message.template_id, SUBSCRIBE)
    if not is_page(message.page):
        raise OpenError(41030)
    if message.miniprogram_state not in STATES:
        raise OpenError(47003, "miniprogram_state invalid")
    if message.lang not in LANGUAGES:
        raise OpenError(47003, "lang invalid")
    _check_data(template, message.data)
    if mock.faults.strikes("block_messages") or not consents.spend(mock, message.touser, template.id):
        raise OpenError(43101)
    link = address(mock.settings.front_url, message.page) if message.page else ""
    _deliver(mock, message.touser, template, message.data, page=message.page, url=link)
    return {"errcode": 0, "errmsg": "ok"}


def send_template(mock: Mock, request: Request, body: bytes) -> dict[str, Any]:
    """POST /cgi-bin/message/template/send → `msgid`. `miniprogram` goes before `url`."""
    tokens.require(mock, request)
    message = read_json(body, TemplateMessage)
    template = _check(mock, message.touser, message.template_id, TEMPLATE)
    page, url = "", message.url
    if message.miniprogram is not None:
        if message.miniprogram.appid != mock.settings.appid:
            raise OpenError(40013)
        if not is_page(message.miniprogram.pagepath):
            raise OpenError(40165)
        page = message.miniprogram.pagepath
        url = address(mock.settings.front_url, page)
    elif url and not is_under(mock.settings.front_url, url):
        raise OpenError(40048)
    _check_data(template, message.data)
    if not consents.is_following(mock, message.touser):
        raise OpenError(43004)
    number = _deliver(mock, message.touser, template, message.data, page=page, url=url)
    return {"errcode": 0, "errmsg": "ok", "msgid": 3_000_000_000_000 + number}


def _check(mock: Mock, openid: str, template_id: str, kind: str) -> Template:
    if mock.people.find(openid) is None:
        raise OpenError(40003)
    template = mock.templates.get(template_id)
    if template is None or template.kind != kind:
        raise OpenError(40037)
    return template


def _check_data(template: Template, data: dict[str, Any]) -> None:
    if (problem := template.first_problem(data)) is not None:
        raise OpenError(47003, problem)


def _deliver(
    mock: Mock, openid: str, template: Template, data: dict[str, Any], *, page: str, url: str
) -> int:
    values = {key: str(data[key]["value"]) for key in template.fields}
    mock.store.insert(
        "messages",
        openid=openid,
        kind=template.kind,
        template_id=template.id,
        data=json.dumps(values, ensure_ascii=False),
        page=page,
        url=url,
        sent_at=mock.now,
    )
    return mock.store.number("SELECT last_insert_rowid()")
