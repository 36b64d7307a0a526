"""Cookies, the front's only memory. All are `__Host-` ones: Secure, this host alone, the whole path, SameSite=Lax.

Lax and not Strict, because a tap on a notice comes from outside and must find its owner logged in.
"""

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

PATIENT = "__Host-patient"
DOCTOR = "__Host-doctor"
BROWSER = "__Host-browser"
"""Random, of this browser alone: what CSRF tokens are made from. New after each login."""
LOGIN = "__Host-login"
"""State and way back of a login at WeChat that is under way."""
DEVICE = "__Host-device"
"""The id that the backend gave this device, with its mark: who asks too often is slowed down."""
CARE = "__Host-care"
"""The large-print version is on."""

DAY = 86_400
LIFE: Mapping[str, int] = {
    PATIENT: 30 * DAY,
    DOCTOR: DAY // 2,
    BROWSER: 365 * DAY,
    LOGIN: 600,
    DEVICE: 365 * DAY,
    CARE: 365 * DAY,
}


def read(request: Request, name: str) -> str:
    """The cookie's value, empty when there is none."""
    return request.cookies.get(name, "")


def write(response: Response, name: str, value: str) -> None:
    """Set it for as long as its kind lives."""
    response.set_cookie(name, value, max_age=LIFE[name], path="/", secure=True, httponly=True, samesite="lax")


def drop(response: Response, name: str) -> None:
    """Take it away."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def fresh() -> str:
    """A new value that nobody guesses."""
    return secrets.token_urlsafe(24)
