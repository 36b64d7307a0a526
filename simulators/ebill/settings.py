"""Settings of the e-bill platform."""

from simulators.server import Reader
from simulators.signed import Settings

PORT = 8450


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        data=env.folder("EBILL_DATA"),
        app_key=env.text("EBILL_APP_KEY"),
        secret=env.text("EBILL_SECRET"),
    )
