"""The one place that makes http clients: deadlines, no redirects, no proxies from the environment."""

import ssl
from functools import cache

import httpx

CONNECT_SECONDS, TOTAL_SECONDS = 2.0, 8.0


def http_client(
    base_url: str, *, seconds: float = TOTAL_SECONDS, connect: float = CONNECT_SECONDS
) -> httpx.AsyncClient:
    """A pooled client for calls of a low rate; where the rate matters the gateway and the relay use aiohttp."""
    timeout = httpx.Timeout(seconds, connect=connect)
    return httpx.AsyncClient(
        base_url=base_url, timeout=timeout, trust_env=False, follow_redirects=False, verify=_public_roots()
    )


@cache
def _public_roots() -> ssl.SSLContext:
    """Read once: it takes 20 ms, and a process has ten clients."""
    return httpx.create_ssl_context(trust_env=False)
