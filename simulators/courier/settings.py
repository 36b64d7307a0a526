"""Settings of the courier."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8420


@dataclass(frozen=True)
class Settings:
    common: Common
    data: Path
    app_key: str
    secret: str = field(repr=False)
    callback_key: str
    callback_secret: str = field(repr=False)
    auto_seconds: float


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        data=env.folder("COURIER_DATA"),
        app_key=env.text("COURIER_APP_KEY"),
        secret=env.text("COURIER_SECRET"),
        callback_key=env.text("COURIER_CALLBACK_KEY"),
        callback_secret=env.text("COURIER_CALLBACK_SECRET"),
        auto_seconds=env.number("COURIER_AUTO_SECONDS", 0),
    )
