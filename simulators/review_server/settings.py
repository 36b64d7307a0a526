"""Settings of the review server."""

from dataclasses import dataclass
from pathlib import Path

from simulators.server import Common, Reader

PORT = 8480


@dataclass(frozen=True)
class Settings:
    common: Common
    address: str
    callers: Path


def read(env: Reader) -> Settings:
    return Settings(
        common=env.common(port=PORT),
        address=env.text("REVIEW_ADDRESS"),
        callers=env.file("REVIEW_CALLERS"),
    )
