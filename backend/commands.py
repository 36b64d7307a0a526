"""Commands beside the servers: `migrate`, `seed`, `formulary import` and `eligibility explain`."""

import argparse
import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from backend.composition import bind, database
from backend.eligibility.explaining import explain, lines
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import books, read_book
from backend.eligibility.rulefile import RuleError
from backend.formulary.service import Report, import_csv
from backend.seeding import seed_world
from backend.settings import Settings
from foundation.actor import SYSTEM
from foundation.clock import Clock
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid
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


def formulary(argv: list[str]) -> int:
    """`formulary import FILE [--limits FILE] [--dry-run]`: make the stored list equal to a CSV and say what changed.

    0 when it is done (or would be), 1 when a row is wrong and nothing was changed. The same file twice changes nothing.
    """
    parser = argparse.ArgumentParser(prog="python -m backend formulary")
    what = parser.add_subparsers(dest="what", required=True).add_parser("import")
    what.add_argument(
        "file", type=Path, help="the list, with the columns of backend/formulary/data/formulary.csv"
    )
    what.add_argument(
        "--limits", type=Path, help="limits by age and kidney; left out, drugs keep those they have"
    )
    what.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    chosen = parser.parse_args(argv)
    text = chosen.file.read_text(encoding="utf-8-sig")
    limits = chosen.limits.read_text(encoding="utf-8-sig") if chosen.limits else None
    settings = load_or_exit(Settings)
    try:
        report = asyncio.run(_import(settings, text, limits, dry_run=chosen.dry_run))
    except Invalid as refused:
        for issue in refused.issues:
            sys.stderr.write(f"{issue.field}: {issue.message}\n")
        return 1
    sys.stdout.write(told(report, dry_run=chosen.dry_run))
    return 0


def told(report: Report, *, dry_run: bool) -> str:
    """The difference as lines."""
    total = len(report.added) + len(report.changed) + len(report.withdrawn)
    if not total:
        return "unchanged\n"
    head = "would become" if dry_run else "is now"
    counts = f"{len(report.added)} added, {len(report.changed)} changed, {len(report.withdrawn)} withdrawn"
    lines = [f"the catalogue {head} {report.version}: {counts}"]
    lines += [f"+ {code}" for code in report.added]
    lines += [f"~ {words}" for words in report.details]
    lines += [f"- {code}" for code in report.withdrawn]
    return "\n".join(lines) + "\n"


async def _import(settings: Settings, text: str, limits: str | None, *, dry_run: bool) -> Report:
    bind(settings)
    db = database(settings, Clock(), "formulary")
    try:
        async with unit_of_work(db) as session:
            return await import_csv(session, SYSTEM, text, limits, dry_run=dry_run)
    finally:
        await db.engine.dispose()


def eligibility(argv: list[str]) -> int:
    """`eligibility explain ID`: decide again from the frozen evidence; `eligibility check [FILE …]`: every mistake of rule files.

    `explain`: 0 when it comes out the same, 1 when it does not, 2 when there is no such decision. `check`: 0 or 1.
    """
    parser = argparse.ArgumentParser(prog="python -m backend eligibility")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("explain").add_argument(
        "id", type=UUID, help="of the decision (eligibilityNo of the supervision)"
    )
    what.add_parser("check").add_argument("files", type=Path, nargs="*", help="those that ship, if left out")
    chosen = parser.parse_args(argv)
    if chosen.what == "check":
        return _check_rules(chosen.files)
    return asyncio.run(_explain(load_or_exit(Settings), chosen.id))


def _check_rules(chosen: list[Path]) -> int:
    mistakes = 0
    try:
        found = [read_book(file.read_text(encoding="utf-8"), file.name) for file in chosen] or books()
        for book in found:
            sys.stdout.write(f"{book.version} in force from {book.in_force_from}, sha256 {book.sha256}\n")
    except RuleError as error:
        mistakes = len(error.mistakes)
        sys.stderr.write(f"{error}\n")
    return 1 if mistakes else 0


async def _explain(settings: Settings, decision_id: UUID) -> int:
    bind(settings)
    db = database(settings, Clock(), "explain")
    try:
        async with unit_of_work(db) as session:
            row = await session.get(EligibilityDecision, decision_id)
            if row is None:
                sys.stderr.write("no such decision\n")
                return 2
            found = explain(row)
            sys.stdout.write("\n".join(lines(row, found)) + "\n")
            return 0 if found.same else 1
    finally:
        await db.engine.dispose()
