"""Settings of the image archive."""

from dataclasses import dataclass
from pathlib import Path

from simulators.server import Common, Reader, TlsFiles
from simulators.server.settings import require_tls_beyond_loopback

PORT, HEALTH_PORT = 8407, 8408


@dataclass(frozen=True)
class Settings:
    common: Common
    world: Path
    tls: TlsFiles | None


def read(env: Reader) -> Settings:
    common = env.common(port=PORT, health_port=HEALTH_PORT)
    tls = env.tls("PACS")
    require_tls_beyond_loopback("PACS", common.host, tls)
    return Settings(common=common, world=Path(env.text("PACS_WORLD")), tls=tls)
