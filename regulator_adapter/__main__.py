"""`python -m regulator_adapter [serve|migrate|resubmit|backfill|verify|bundle|reconcile]`; without a word it serves."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from foundation.errors import AppError
from foundation.settings import load_or_exit
from regulator_adapter.settings import DeskSettings, Settings, StoreSettings

T = TypeVar("T")


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 done or all well, 1 not, 2 wrong use or settings."""
    chosen = _parser().parse_args(arguments or ["serve"])
    run: Callable[[argparse.Namespace], int] = chosen.run
    return run(chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m regulator_adapter", description="Reports to supervision platforms."
    )
    commands = parser.add_subparsers(required=True)
    commands.add_parser("serve", help="receive, map, submit (default)").set_defaults(run=_serve)
    commands.add_parser("migrate", help="bring the database to the newest schema").set_defaults(run=_migrate)
    again = commands.add_parser("resubmit", help="send a rejected or parked record again")
    again.add_argument("submission", nargs="?", type=UUID, help="id, from /submissions")
    again.add_argument("--code", help="all that wait under this reply code instead of one")
    again.add_argument("--reason", required=True, help="why; kept in the audit trail")
    again.add_argument("--by", default="", help="who; kept in the audit trail")
    again.set_defaults(run=_resubmit)
    caught_up = commands.add_parser(
        "backfill", help="send what is open of a day that is over, and sign it in"
    )
    caught_up.add_argument("day", type=date.fromisoformat, help="such as 2026-11-22, Shanghai")
    caught_up.add_argument("--until", type=date.fromisoformat, help="the last day; without it only the one")
    caught_up.add_argument("--profile", help="one platform instead of all")
    caught_up.add_argument("--by", default="", help="who; kept in the audit trail")
    caught_up.set_defaults(run=_backfill)
    proof = commands.add_parser(
        "verify", help="prove that nothing is missing or altered (status 1 when not); with --bundle offline"
    )
    proof.add_argument("--bundle", type=Path, help="a closed day's file; needs no database and no network")
    for side, whose in (("hospital", "the hospital's"), ("platform", "the platform's")):
        proof.add_argument(f"--{side}-root", type=Path, help=f"PEM root behind {whose} seals")
        proof.add_argument(f"--{side}-identity", default="", help=f"URI in {whose} seal certificate")
    proof.set_defaults(run=_verify)
    file = commands.add_parser("bundle", help="write a closed day's proof to a file, for verify --bundle")
    file.add_argument("--day", required=True, type=date.fromisoformat, help="such as 2026-11-22, Shanghai")
    file.add_argument(
        "--supplement", type=int, help="which statement of the day; without it the newest closed one"
    )
    file.add_argument("--out", required=True, type=Path, help="the file")
    file.set_defaults(run=_bundle)
    statement = commands.add_parser(
        "reconcile", help="one day's figures (status 1 while there is a difference)"
    )
    statement.add_argument(
        "--day", required=True, type=date.fromisoformat, help="such as 2026-11-22, Shanghai"
    )
    statement.set_defaults(run=_reconcile)
    return parser


def _serve(_: argparse.Namespace) -> int:
    from regulator_adapter.serving import serve_forever

    serve_forever(load_or_exit(Settings))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from regulator_adapter.migrate import migrate

    migrate(load_or_exit(StoreSettings).database_url)
    return 0


def _resubmit(chosen: argparse.Namespace) -> int:
    from regulator_adapter.resubmit import operator, resubmit, resubmit_code

    if (chosen.submission is None) == (chosen.code is None):
        sys.stderr.write("resubmit: give a submission or --code\n")
        return 2
    actor = operator(chosen.by)

    async def work(db: Database) -> list[UUID]:
        if chosen.code is not None:
            return list(await resubmit_code(db, chosen.code, actor, chosen.reason))
        await resubmit(db, chosen.submission, actor, chosen.reason)
        return [chosen.submission]

    try:
        ids = _with_database(work)
    except AppError as error:
        sys.stderr.write(f"resubmit: {error.detail}\n")
        return 1
    sys.stdout.write("".join(f"{row_id}\n" for row_id in ids))
    return 0


def _backfill(chosen: argparse.Namespace) -> int:
    from regulator_adapter.backfill import backfill
    from regulator_adapter.resubmit import operator

    last = chosen.until or chosen.day

    try:
        days = _with_database(
            lambda db: backfill(db, chosen.day, last, operator(chosen.by), profile=chosen.profile)
        )
    except AppError as error:
        words = "；".join(issue.message for issue in getattr(error, "issues", ())) or error.detail
        sys.stderr.write(f"backfill: {words}\n")
        return 2
    _print(days)
    return 1 if any(line.for_people for done in days for line in done.lines) else 0


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.bundle is not None:
        return _verify_offline(chosen)
    from regulator_adapter.verify import verify

    table = load_or_exit(DeskSettings).table()
    proof = _with_database(lambda db: verify(db, table))
    _print(proof)
    return 0 if proof.holds else 1


def _verify_offline(chosen: argparse.Namespace) -> int:
    from regulator_adapter.days.proving import prove
    from regulator_adapter.days.seals import read_trust

    if chosen.hospital_root is None or not chosen.hospital_identity:
        sys.stderr.write("verify: --bundle needs --hospital-root and --hospital-identity\n")
        return 2
    try:
        hospital = read_trust(chosen.hospital_root, chosen.hospital_identity)
        platform = None
        if chosen.platform_root is not None:
            platform = read_trust(chosen.platform_root, chosen.platform_identity)
        raw = chosen.bundle.read_bytes()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify: {error}\n")
        return 2
    finding = prove(raw, hospital, platform)
    _print(finding)
    sys.stderr.write(f"{'proved' if finding.holds else 'NOT proved'}: {chosen.bundle.name}\n")
    return 0 if finding.holds else 1


def _bundle(chosen: argparse.Namespace) -> int:
    from regulator_adapter.days.bundle import bundle_of

    try:
        made = _with_database(lambda db: bundle_of(db, chosen.day, chosen.supplement))
    except AppError as error:
        sys.stderr.write(f"bundle: {error.detail}\n")
        return 1
    chosen.out.write_bytes(msgspec.json.encode(made))
    return 0


def _reconcile(chosen: argparse.Namespace) -> int:
    from regulator_adapter.reconcile import reconcile

    statement = _with_database(lambda db: reconcile(db, chosen.day))
    _print(statement)
    return 0 if statement.difference == 0 else 1


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    from regulator_adapter.serving import open_database

    settings = load_or_exit(DeskSettings)

    async def main() -> T:
        db = open_database(settings, Clock())
        try:
            return await work(db)
        finally:
            await db.engine.dispose()

    return asyncio.run(main())


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
