"""Settings of this hospital."""

import json
from dataclasses import dataclass
from pathlib import Path

from simulators.server import Common, Reader, SettingError, TlsFiles
from simulators.server.settings import require_tls_beyond_loopback

PORT, HEALTH_PORT = 8400, 8401


@dataclass(frozen=True)
class Settings:
    """`names`: element of the interface document → what this installation calls it."""

    common: Common
    world: Path
    data: Path
    tls: TlsFiles | None
    names: dict[str, str]


def read(env: Reader) -> Settings:
    common = env.common(port=PORT, health_port=HEALTH_PORT)
    tls = env.tls("HIS")
    require_tls_beyond_loopback("HIS", common.host, tls)
    folder = Path(env.text("HIS_WORLD"))
    if not (folder / "world.json").is_file():
        raise SettingError(f"HIS_WORLD holds no world.json: {folder}")
    names = {}
    if env.optional("HIS_NAMES"):
        names = json.loads(env.file("HIS_NAMES").read_text(encoding="utf-8"))
        if len(set(names.values())) != len(names):
            raise SettingError("HIS_NAMES calls two elements the same")
    return Settings(common, folder, env.folder("HIS_DATA"), tls, names)
