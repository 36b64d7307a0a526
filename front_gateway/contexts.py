"""The TLS contexts of one gateway: towards callers, hospital, platform, backend and image archive. Certificates renew without a restart."""

import ssl
from pathlib import Path

from foundation.tls import client_context, server_context
from front_gateway.settings import Settings


class Contexts:
    """`his`, `city`, `backend` and `pacs` are None where the other side is on plain http. `OSError` when a file cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._pairs: list[tuple[ssl.SSLContext, Path, Path]] = []
        self.incoming = server_context(settings.server_cert, settings.server_key, settings.client_root)
        self._pairs.append((self.incoming, settings.server_cert, settings.server_key))
        self.his = self._towards(settings.his_cert, settings.his_key, settings.his_root)
        self.city = self._towards(settings.city_cert, settings.city_key, settings.city_root)
        self.backend = self._towards(settings.backend_cert, settings.backend_key, settings.backend_root)
        self.pacs = self._towards(settings.pacs_cert, settings.pacs_key, settings.pacs_root)
        if self.pacs is None and settings.pacs_root is not None:  # an archive that asks for no certificate
            self.pacs = ssl.create_default_context(cafile=settings.pacs_root)

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
