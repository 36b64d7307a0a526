"""Settings of the real-name service."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8430


@dataclass(frozen=True)
class Settings:
    common: Common
    world: Path
    data: Path
    app_key: str
    secret: str = field(repr=False)


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        world=env.file("IDENTITY_WORLD"),
        data=env.folder("IDENTITY_DATA"),
        app_key=env.text("IDENTITY_APP_KEY"),
        secret=env.text("IDENTITY_SECRET"),
    )
