"""Settings of the hospital simulator."""

from dataclasses import dataclass
from pathlib import Path

from simulators.server import Common, Reader, SettingError, TlsFiles
from simulators.server.settings import require_tls_beyond_loopback

PORT, HEALTH_PORT = 8400, 8401


@dataclass(frozen=True)
class Settings:
    """`base_url` is empty when links name the address that the caller used."""

    common: Common
    world: Path
    data: Path
    tls: TlsFiles | None
    base_url: str


def read(env: Reader) -> Settings:
    common = env.common(port=PORT, health_port=HEALTH_PORT)
    tls = env.tls("HIS")
    require_tls_beyond_loopback("HIS", common.host, tls)
    folder = Path(env.text("HIS_WORLD"))
    if not (folder / "world.json").is_file():
        raise SettingError(f"HIS_WORLD holds no world.json: {folder}")
    base_url = (env.optional("HIS_BASE_URL") or "").rstrip("/")
    if base_url and not base_url.startswith(("http://", "https://")):
        raise SettingError(f"HIS_BASE_URL is no http address: {base_url}")
    return Settings(common=common, world=folder, data=env.folder("HIS_DATA"), tls=tls, base_url=base_url)
