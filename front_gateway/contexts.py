"""The TLS contexts of one gateway: towards callers, hospital, platform and backend. Certificates renew without a restart."""

import ssl
from pathlib import Path

from foundation.tls import client_context, server_context
from front_gateway.settings import Settings


class Contexts:
    """`his`, `city` and `backend` are None where the other side is on plain http. `OSError` when a file cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._pairs: list[tuple[ssl.SSLContext, Path, Path]] = []
        self.incoming = server_context(settings.server_cert, settings.server_key, settings.client_root)
        self._pairs.append((self.incoming, settings.server_cert, settings.server_key))
        self.his = self._towards(settings.his_cert, settings.his_key, settings.his_root)
        self.city = self._towards(settings.city_cert, settings.city_key, settings.city_root)
        self.backend = self._towards(settings.backend_cert, settings.backend_key, settings.backend_root)

    def renew(self) -> None:
        """Read the certificates again; connections made from now on show them. Roots change by a restart."""
        for context, certificate, key in self._pairs:
            ssl.SSLContext(context.protocol).load_cert_chain(certificate, key)  # a trial: all or none
        for context, certificate, key in self._pairs:
            context.load_cert_chain(certificate, key)

    def _towards(
        self, certificate: Path | None, key: Path | None, root: Path | None
    ) -> ssl.SSLContext | None:
        if certificate is None or key is None or root is None:
            return None
        context = client_context(certificate, key, root)
        self._pairs.append((context, certificate, key))
        return context
