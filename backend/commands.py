"""Commands beside the servers: `migrate` and `seed`."""

import argparse
import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from backend.composition import bind, database
from backend.seeding import seed_world
from backend.settings import Settings
from foundation.clock import Clock
from foundation.db.unit_of_work import unit_of_work
from foundation.settings import load_or_exit

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate() -> int:
    """Bring the database to the newest version."""
    from alembic import command
    from alembic.config import Config

    settings = load_or_exit(Settings)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = settings.database_url
    command.upgrade(config, "head")
    return 0


def seed(argv: list[str]) -> int:
    """Read the generated world; safe to run twice, new slots are opened each time."""
    parser = argparse.ArgumentParser(prog="python -m backend seed")
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument(
        "--at", type=datetime.fromisoformat, help="the moment whose coming days are opened; now if left out"
    )
    chosen = parser.parse_args(argv)
    settings = load_or_exit(Settings)
    ahead = chosen.at - Clock().now() if chosen.at else timedelta(0)
    asyncio.run(_seed(settings, chosen.world, Clock(ahead)))
    return 0


async def _seed(settings: Settings, folder: Path, clock: Clock) -> None:
    bind(settings)
    db = database(settings, clock, "seed")
    try:
        async with unit_of_work(db) as session:
            await seed_world(session, folder)
    finally:
        await db.engine.dispose()
