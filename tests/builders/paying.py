"""Clients of WeChat Pay for tests: the backend's own over the keys that `make_keys` made."""

from dataclasses import dataclass, field
from pathlib import Path

from backend.outside.wechat_pay import WeChatPay
from backend.outside.wechat_pay_crypto import Merchant, load_public_key
from backend.outside.wechat_pay_exchange import Exchange
from backend.outside.wechat_pay_keys import PayKeys
from backend.outside.wechat_pay_signed import SignedPay
from backend.outside.wechat_pay_troubles import Troubles, Watch
from foundation.clock import Clock
from tests.unit.wechat_mock.merchant import APIV3_KEY, APPID, MCHID, PUBLIC_KEY_ID, serial_of


@dataclass
class Noted:
    """A watch that remembers: what is open, and every word that was said."""

    open: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    async def raised(self, trouble: str, detail: str) -> None:
        """It is open."""
        self.open[trouble] = detail
        self.said.append(trouble)

    async def over(self, trouble: str) -> None:
        """It is not."""
        self.open.pop(trouble, None)


def client_of(
    keys: Path, clock: Clock, *urls: str, key: str = "merchant.key", by_certificate: bool = False,
    folder: Path | None = None, watch: Watch | None = None,
) -> WeChatPay:  # fmt: skip
    """Asks again without a pause; `key` is the file that signs, `folder` holds more public keys."""
    merchant = Merchant.load(MCHID, serial_of(keys / "merchant.pem"), keys / key, APIV3_KEY)
    known = PayKeys(public={}, folder=folder)
    if not by_certificate:
        known.public, known.named = {PUBLIC_KEY_ID: load_public_key(keys / "wechat.pub")}, PUBLIC_KEY_ID
    exchange = Exchange(urls, merchant, clock, Troubles(watch or Noted()), pauses=(0, 0))
    return WeChatPay(APPID, SignedPay(exchange, known))
