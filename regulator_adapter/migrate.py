"""Brings the adapter's database to the newest schema; safe to run at every start."""

from pathlib import Path

from alembic import command
from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration without a file; the URL stays out of anything that is printed."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Upgrade to the head."""
    command.upgrade(configuration(url), "head")
