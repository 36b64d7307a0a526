"""Whose phone it is: by path, or by the cookie of this browser."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from miniapp_mock.wechat.mock import mock_of
from miniapp_mock.wechat.people import Person

COOKIE = "wechat_mock_phone"


def owner(request: Request) -> Person:
    """Of `/phone/{openid}/…`; 404 when there is no such phone."""
    person = mock_of(request).people.find(request.path_params["openid"])
    if person is None:
        raise HTTPException(404, "没有这部手机")
    return person


def current(request: Request) -> Person | None:
    """The phone that this browser plays."""
    return mock_of(request).people.find(request.cookies.get(COOKIE, ""))
