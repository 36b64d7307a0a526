"""Settings of the text-message company."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8460


@dataclass(frozen=True)
class Settings:
    common: Common
    data: Path
    app_key: str
    secret: str = field(repr=False)


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        data=env.folder("SMS_DATA"),
        app_key=env.text("SMS_APP_KEY"),
        secret=env.text("SMS_SECRET"),
    )
