"""Settings of the text-message company."""

from simulators.server import Reader
from simulators.signed import Settings

PORT = 8460


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        data=env.folder("SMS_DATA"),
        app_key=env.text("SMS_APP_KEY"),
        secret=env.text("SMS_SECRET"),
    )
