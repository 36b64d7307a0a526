"""Secrets of the conformance kit: from the environment, because a command line is seen by everybody on the machine."""

from dataclasses import dataclass

from foundation.settings import setting


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What the platform gave for its test environment."""

    conformance_app_secret: str = setting(
        "appSecret of the test environment: 16 bytes as hex, a file that holds them, or pkcs11:token=…;object=…", secret=True
    )  # fmt: skip
    conformance_iv: bytes = setting("IV of the vendor's SDK, 16 bytes as hex", secret=True)
    conformance_pin: str = setting("PIN of the security module that has the keys", default="", secret=True)
