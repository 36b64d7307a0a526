"""Structs of the login routes."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Code = Annotated[str, Meta(min_length=1, max_length=128)]


class WeChatLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fresh code of `wx.login`."""

    code: Code


class StaffLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Password and the six digits of the authenticator."""

    login: Annotated[str, Meta(min_length=1, max_length=40)]
    password: Annotated[str, Meta(min_length=1, max_length=128)]
    totp: Annotated[str, Meta(pattern=r"^\d{6}$")]


class PhoneCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fresh code of `getPhoneNumber`."""

    code: Code


class LoggedIn(msgspec.Struct, frozen=True):
    """The bearer token of the session and who it is for; `device` comes back in `X-Device` with each later request."""

    token: str
    id: UUID
    role: str
    name: str
    phone_bound: bool
    device: str = ""


class PhoneBound(msgspec.Struct, frozen=True):
    """The bound number, masked."""

    phone: str


class Me(msgspec.Struct, frozen=True):
    """Who the token belongs to."""

    id: UUID
    kind: str
    roles: list[str]
    name: str
    phone: str
