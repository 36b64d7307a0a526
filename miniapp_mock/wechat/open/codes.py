"""Codes that a phone hands out: single use, five minutes."""

import secrets

from miniapp_mock.wechat.clock import MINUTE
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open.errors import OpenError

LIFE = 5 * MINUTE
LOGIN, OAUTH, PHONE = "login", "oauth", "phone"


def issue(mock: Mock, openid: str, *kinds: str) -> str:
    """A code of `openid` for any of `kinds`: `login` (wx.login), `oauth` (web), `phone` (getPhoneNumber)."""
    code = f"0{secrets.token_urlsafe(24).replace('-', 'a').replace('_', 'b')}"[:32]
    expires_at = mock.now + LIFE
    mock.store.insert("codes", code=code, kinds=" ".join(kinds), openid=openid, expires_at=expires_at)
    return code


def use(mock: Mock, code: str, kind: str) -> str:
    """The openid behind `code`. Raises OpenError: 41008 missing, 40029 unknown or expired, 40163 used."""
    if not code:
        raise OpenError(41008)
    row = mock.store.one("SELECT * FROM codes WHERE code = ?", code)
    if row is None or kind not in row["kinds"].split() or row["expires_at"] <= mock.now:
        raise OpenError(40029)
    if not mock.store.run("UPDATE codes SET used_at = ? WHERE code = ? AND used_at IS NULL", mock.now, code):
        raise OpenError(40163)
    return str(row["openid"])
