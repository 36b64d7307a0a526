"""Credentials for a TURN server that end by themselves (draft-uberti-behave-turn-rest-00; coturn's `use-auth-secret`).

Only the browser needs a relay: the media process stands on a public address.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of RTCPeerConnection's `iceServers`."""

    urls: list[str]
    username: str = ""
    credential: str = ""


def ice_servers(urls: Sequence[str], secret: str, now: datetime, seconds: int, who: str) -> list[IceServer]:
    """What `who` gives her browser; valid until `now` plus `seconds`. Nothing when there is no relay."""
    if not urls:
        return []
    username = f"{int((now + timedelta(seconds=seconds)).timestamp())}:{who}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)  # the specification's choice
    return [IceServer(list(urls), username, base64.b64encode(digest).decode())]
