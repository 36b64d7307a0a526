"""A notification by somebody who is not WeChat Pay: right number and serial, keys of his own."""

import functools
import secrets

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import notifications
from miniapp_mock.wechat.pay.keys import SigningKey
from miniapp_mock.wechat.pay.signatures import signature_headers
from miniapp_mock.wechat.store import Row


@functools.cache
def _key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def of(mock: Mock, row: Row) -> tuple[bytes, dict[str, str]]:
    """Body and headers; the id is the true one, so that a merchant who stores it first would miss the true one."""
    body = notifications.sealed(mock, row, secrets.token_bytes(32))
    believed = mock.keys.current()[0].serial
    headers = signature_headers(mock, SigningKey(believed, _key()), body, probe=False)
    return body, {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", **headers}
