"""Settings of the laboratory and imaging simulator."""

from dataclasses import dataclass
from pathlib import Path

from simulators.server import Common, Reader, SettingError

PORT, HEALTH_PORT = 8404, 8405


@dataclass(frozen=True)
class Settings:
    """`send_to`: where pushed messages go."""

    common: Common
    world: Path
    data: Path
    send_to: tuple[tuple[str, int], ...]


def read(env: Reader) -> Settings:
    folder = Path(env.text("LISRIS_WORLD"))
    if not (folder / "residents.json").is_file():
        raise SettingError(f"LISRIS_WORLD holds no residents.json: {folder}")
    return Settings(
        common=env.common(port=PORT, health_port=HEALTH_PORT),
        world=folder,
        data=env.folder("LISRIS_DATA"),
        send_to=tuple(_address(one) for one in (env.optional("LISRIS_SEND_TO") or "").split(",") if one),
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdigit():
        raise SettingError(f"LISRIS_SEND_TO is no host:port: {text}")
    return host, int(port)
