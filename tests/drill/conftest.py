"""What drills share with the unit tests of the same part."""

from tests.unit.video.conftest import plain_logs, stores

__all__ = ["plain_logs", "stores"]
