"""Which client certificates may come in: by URI subject alternative name, checked when the connection is made."""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger("simulators.server")


def protocol_for(clients: tuple[str, ...]) -> type[asyncio.Protocol]:
    """An HTTP protocol that hangs up on a certificate whose URI name is not in `clients`."""

    class KnownClients(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            names = uri_names(transport.get_extra_info("peercert"))
            if not names & set(clients):
                log.warning("hung up on a client certificate that is not on the list: %s", sorted(names))
                transport.abort()
                return
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.transport is not None:  # nothing to clean up after a hang-up
                super().connection_lost(exc)

    return KnownClients


def uri_names(certificate: dict[str, Any] | None) -> set[str]:
    return {value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "URI"}
