"""Settings of the CA."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8440


@dataclass(frozen=True)
class Settings:
    common: Common
    world: Path
    data: Path
    app_key: str
    secret: str = field(repr=False)
    public_url: str


def read(env: Reader) -> Settings:
    common = env.common(port=PORT)
    return Settings(
        common=common,
        world=env.file("CA_WORLD"),
        data=env.folder("CA_DATA"),
        app_key=env.text("CA_APP_KEY"),
        secret=env.text("CA_SECRET"),
        public_url=env.text("CA_PUBLIC_URL", f"http://{common.host}:{common.port}").rstrip("/"),
    )
