"""Links that open the mini program from outside WeChat, in an SMS for instance."""

import re
import secrets
from typing import Any

import msgspec
from starlette.requests import Request

from miniapp_mock.wechat.clock import DAY
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open import tokens
from miniapp_mock.wechat.open.errors import OpenError, read_json
from miniapp_mock.wechat.open.pages_of_the_app import address, is_page

LONGEST_DAYS = 30
_QUERY = re.compile(r"[A-Za-z0-9!#$&'()*+,/:;=?@\-._~%]{0,1024}")


class UrlLink(msgspec.Struct):
    path: str = ""
    query: str = ""
    env_version: str = "release"
    is_expire: bool = True
    expire_type: int = 0
    expire_time: int = 0
    expire_interval: int = 0


class Jump(msgspec.Struct):
    path: str = ""
    query: str = ""
    env_version: str = "release"


class Scheme(msgspec.Struct):
    jump_wxa: Jump = msgspec.field(default_factory=Jump)
    is_expire: bool = True
    expire_type: int = 0
    expire_time: int = 0
    expire_interval: int = 0


def generate_urllink(mock: Mock, request: Request, body: bytes) -> dict[str, Any]:
    """POST /wxa/generate_urllink → `url_link`; the mock's links lead to itself (`/u/…`)."""
    tokens.require(mock, request)
    asked = read_json(body, UrlLink)
    token = _keep(mock, asked.path, asked.query, asked.env_version, _end(mock, asked))
    return {"errcode": 0, "errmsg": "ok", "url_link": f"{str(request.base_url).rstrip('/')}/u/{token}"}


def generate_scheme(mock: Mock, request: Request, body: bytes) -> dict[str, Any]:
    """POST /wxa/generatescheme → `openlink`; `/u/…` opens the same."""
    tokens.require(mock, request)
    asked = read_json(body, Scheme)
    jump = asked.jump_wxa
    token = _keep(mock, jump.path, jump.query, jump.env_version, _end(mock, asked))
    return {"errcode": 0, "errmsg": "ok", "openlink": f"weixin://dl/business/?t={token}"}


def open_link(mock: Mock, token: str) -> str | None:
    """Where the link leads; None when it is unknown or over."""
    row = mock.store.one("SELECT * FROM links WHERE token = ? AND expires_at > ?", token, mock.now)
    if row is None:
        return None
    query = f"?{row['query']}" if row["query"] else ""
    return address(mock.settings.front_url, f"{row['path']}{query}")


def _end(mock: Mock, asked: UrlLink | Scheme) -> float:
    longest = mock.now + LONGEST_DAYS * DAY
    if asked.expire_type == 0:
        end = float(asked.expire_time or longest)
    elif asked.expire_type == 1:
        end = mock.now + asked.expire_interval * DAY
    else:
        raise OpenError(40097, "expire_type")
    if not mock.now < end <= longest + 1:
        raise OpenError(85401)
    return end


def _keep(mock: Mock, path: str, query: str, env_version: str, end: float) -> str:
    if not is_page(path) or "?" in path:
        raise OpenError(40165)
    if not _QUERY.fullmatch(query):
        raise OpenError(40212)
    if env_version not in {"release", "trial", "develop"}:
        raise OpenError(40097, "env_version")
    token = secrets.token_urlsafe(9).replace("-", "x").replace("_", "y")
    mock.store.insert("links", token=token, path=path, query=query, expires_at=end)
    return token
