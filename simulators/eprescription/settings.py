"""Settings of the e-prescription centre."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8470


@dataclass(frozen=True)
class Settings:
    common: Common
    data: Path
    app_id: str
    fixmedins: str
    secret: str = field(repr=False)


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        data=env.folder("EPC_DATA"),
        app_id=env.text("EPC_APP_ID"),
        fixmedins=env.text("EPC_FIXMEDINS_CODE"),
        secret=env.text("EPC_APP_SECRET"),
    )
