"""What is known of who calls besides the account: the device and the network address. Neither is trusted alone.

A device is an id of ours with a keyed mark, given at login and sent back in `X-Device`; a forged or missing one is no device.
An address comes from `X-Forwarded-For` only when the caller is a proxy the hospital named; an address of this machine says
nothing about anybody.
"""

import hmac
import ipaddress
from collections.abc import Collection
from functools import lru_cache
from uuid import UUID

from starlette.requests import Request

from foundation.db.columns import blind_index
from foundation.ids import new_id

DEVICE = "x-device"
FORWARDED = "x-forwarded-for"
LONGEST = 120


def new_device() -> str:
    """An id with its mark."""
    device = new_id()
    return f"{device.hex}.{_mark(device)}"


def device_of(request: Request) -> UUID | None:
    """The device that calls; None when the header is missing or was not made here."""
    return known_device(request.headers.get(DEVICE, ""))


def known_device(text: str) -> UUID | None:
    """The id in a claim whose mark is right."""
    head, _, mark = text[:LONGEST].partition(".")
    try:
        device = UUID(head)
    except ValueError:
        return None
    return device if hmac.compare_digest(mark.encode(), _mark(device).encode()) else None


def _mark(device: UUID) -> str:
    return blind_index("device", device.hex)[:16].hex()


def address_of(request: Request, trusted: Collection[str]) -> str:
    """Where the caller is; empty when nobody can say."""
    nearest = request.client.host if request.client else ""
    if nearest in trusted:
        hops = [part.strip() for part in request.headers.get(FORWARDED, "").split(",") if part.strip()]
        nearest = next((hop for hop in reversed(hops) if hop not in trusted), "")
    return _plain(nearest)


@lru_cache(4096)
def _plain(text: str) -> str:
    """One spelling for one address; IPv6 by its /64, which is what one line of a house gets."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if found.is_loopback:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
