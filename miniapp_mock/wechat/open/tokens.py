"""Access tokens. `/cgi-bin/stable_token` gives the same one again until it is about to end."""

import secrets
from typing import Any

import msgspec
from starlette.requests import Request

from miniapp_mock.wechat.clock import DAY, MINUTE
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open.errors import OpenError, read_json

LIFE = 7200.0
OVERLAP = 5 * MINUTE
STABLE, PLAIN = "stable", "plain"


class StableToken(msgspec.Struct):
    grant_type: str = ""
    appid: str = ""
    secret: str = ""
    force_refresh: bool = False


def stable_token(mock: Mock, _request: Request, body: bytes) -> dict[str, Any]:
    """POST /cgi-bin/stable_token. Old and new are both good during the last five minutes of the old one."""
    asked = read_json(body, StableToken)
    check_app(mock, asked.appid, asked.secret)
    check_grant(asked.grant_type)
    if asked.force_refresh:
        _allow_force(mock)
        mock.store.run("UPDATE tokens SET revoked = 1 WHERE kind = ?", STABLE)
        return _issue(mock, STABLE, forced=True)
    row = mock.store.one(
        "SELECT * FROM tokens WHERE kind = ? AND revoked = 0 AND expires_at > ? ORDER BY expires_at DESC",
        STABLE,
        mock.now + OVERLAP,
    )
    if row is None:
        return _issue(mock, STABLE)
    return {"access_token": row["token"], "expires_in": int(row["expires_at"] - mock.now)}


def plain_token(mock: Mock, request: Request, _body: bytes) -> dict[str, Any]:
    """GET /cgi-bin/token: a new one every time; the one before lives five minutes more."""
    query = request.query_params
    check_grant(query.get("grant_type", ""))
    check_app(mock, query.get("appid", ""), query.get("secret", ""))
    mock.store.run(
        "UPDATE tokens SET expires_at = min(expires_at, ?) WHERE kind = ?", mock.now + OVERLAP, PLAIN
    )
    return _issue(mock, PLAIN)


def check_app(mock: Mock, appid: str, secret: str) -> None:
    if not appid:
        raise OpenError(41002)
    if appid != mock.settings.appid:
        raise OpenError(40013)
    if not secret:
        raise OpenError(41004)
    if not secrets.compare_digest(secret.encode(), mock.settings.secret.encode()):
        raise OpenError(40125)


def check_grant(grant_type: str, expected: str = "client_credential") -> None:
    if grant_type != expected:
        raise OpenError(40002)


def require(mock: Mock, request: Request) -> None:
    """The call's `access_token` is good. Raises OpenError."""
    token = request.query_params.get("access_token", "")
    if not token:
        raise OpenError(41001)
    row = mock.store.one("SELECT * FROM tokens WHERE token = ?", token)
    if row is None or row["revoked"]:
        raise OpenError(40001)
    if row["expires_at"] <= mock.now:
        raise OpenError(42001)


def revoke_all(mock: Mock) -> None:
    """What the fault `revoke_token` does when it is set."""
    mock.store.run("UPDATE tokens SET revoked = 1")


def _allow_force(mock: Mock) -> None:
    """20 a day, at least 30 s apart."""
    last = mock.store.one("SELECT max(made_at) AS at FROM tokens WHERE forced = 1")
    if last and last["at"] is not None and mock.now - last["at"] < 30:
        raise OpenError(45011)
    made = mock.store.number("SELECT count(*) FROM tokens WHERE forced = 1 AND made_at > ?", mock.now - DAY)
    if made >= 20:
        raise OpenError(45009)


def _issue(mock: Mock, kind: str, *, forced: bool = False) -> dict[str, Any]:
    token = f"97_{secrets.token_urlsafe(100)}"
    mock.store.insert(
        "tokens", token=token, kind=kind, made_at=mock.now, expires_at=mock.now + LIFE, forced=int(forced)
    )
    return {"access_token": token, "expires_in": int(LIFE)}
