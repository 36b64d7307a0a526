"""Demo credentials, made from the seed: logins, passwords, TOTP secrets, PINs, WeChat ids. They open nothing but a demo."""

import base64
from random import Random

# characters that are not mistaken for one another on a phone
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_WECHAT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def password(random: Random) -> str:
    return "Demo-" + "".join(random.choice(_LETTERS) for _ in range(10))


def totp_secret(random: Random) -> str:
    """160 bits in base32 (RFC 6238)."""
    return base64.b32encode(random.randbytes(20)).decode()


def pin(random: Random) -> str:
    return "".join(random.choice("0123456789") for _ in range(6))


def openid(random: Random) -> str:
    """28 characters that begin with `o`, as WeChat's do."""
    return "oDemo" + "".join(random.choice(_WECHAT) for _ in range(23))
