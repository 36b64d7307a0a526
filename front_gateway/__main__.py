"""`python -m front_gateway [serve]`, `verify --day 2026-11-22`, `explain --caller … --method … --path … [--body … --at …]`, `check`,
`kept key --private … --public …`, `kept open FILE --key …`."""

import argparse
import sys
from datetime import date, datetime
from pathlib import Path

from foundation.clock import LOCAL
from front_gateway.policy.reading import DEFAULT, WhitelistError, read_policy


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "verify":
        return _verify(chosen.folder, chosen.name, chosen.day)
    if chosen.command == "kept":
        return _kept(chosen)
    if chosen.command in ("explain", "check"):
        try:
            policy = read_policy(chosen.whitelist)
        except WhitelistError as error:
            print(*error.mistakes, sep="\n", file=sys.stderr)
            return 2
        if chosen.command == "check":
            print(f"{chosen.whitelist}: {len(policy.callers)} callers, {len(policy.entries)} entries")
            return 0
        from front_gateway.explaining import explain

        passes, words = explain(
            policy,
            caller=chosen.caller,
            address=chosen.address,
            method=chosen.method.upper(),
            path=chosen.path,
            purpose=chosen.purpose,
            body=chosen.body.encode() if chosen.body is not None else None,
            at=_moment(chosen.at) if chosen.at else None,
        )
        print(words)
        return 0 if passes else 1
    from front_gateway.process import run
    from front_gateway.settings import read

    run(read())
    return 0


def _kept(chosen: argparse.Namespace) -> int:
    from front_gateway.keeping.opening import make_key, open_file

    if chosen.deed == "key":
        return make_key(chosen.private, chosen.public, chosen.passphrase_file)
    return open_file(chosen.file, chosen.key, chosen.passphrase_file, chosen.out)


def _verify(folder: Path, name: str, day: date) -> int:
    from front_gateway.audit_check import verify_day

    verdict = verify_day(folder, name, day)
    print(
        f"{name} {day}: {verdict.problem or 'the chain holds'}, {verdict.lines} lines, head {verdict.head or '-'}"
    )
    return 1 if verdict.problem else 0


def _moment(given: datetime) -> datetime:
    return given if given.tzinfo else given.replace(tzinfo=LOCAL)


def _text(given: str) -> str:
    return Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given


def _parser() -> argparse.ArgumentParser:
    from front_gateway.settings import from_environment

    parser = argparse.ArgumentParser(prog="python -m front_gateway", description="the door between zones")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve until SIGTERM (default)")
    verify = commands.add_parser("verify", help="check one day's audit file")
    verify.add_argument("--day", type=date.fromisoformat, required=True)
    verify.add_argument("--folder", type=Path, default=from_environment("AUDIT_FOLDER", "."))
    verify.add_argument("--name", default=from_environment("GATEWAY_NAME", "a"), help="name of the gateway")
    whitelist = from_environment("WHITELIST", str(DEFAULT))
    check = commands.add_parser("check", help="read the whitelist and name its mistakes")
    check.add_argument("--whitelist", type=Path, default=whitelist)
    explain = commands.add_parser("explain", help="say what a call would meet")
    explain.add_argument("--caller", required=True, help="name in the whitelist, or spiffe:// identity")
    explain.add_argument("--method", required=True)
    explain.add_argument("--path", required=True)
    explain.add_argument("--address", default="127.0.0.1")
    explain.add_argument("--purpose", default="")
    explain.add_argument("--body", help="the request's JSON; @FILE reads it from a file", type=_text)
    explain.add_argument("--at", help="2026-11-22T23:30, Asia/Shanghai", type=datetime.fromisoformat)
    explain.add_argument("--whitelist", type=Path, default=whitelist)
    _kept_parser(commands)
    return parser


def _kept_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    kept = commands.add_parser(
        "kept", help="the hospital's copies: its key, and opening one without a network"
    )
    deeds = kept.add_subparsers(dest="deed", required=True)
    words = "file whose first line is the passphrase of the private key"
    key = deeds.add_parser(
        "key", help="make the hospital's pair of keys; the private one never leaves the inner zone"
    )
    key.add_argument("--private", type=Path, required=True)
    key.add_argument("--public", type=Path, required=True)
    key.add_argument("--passphrase-file", type=Path, help=words)
    opening = deeds.add_parser("open", help="open one copy by the hospital's private key")
    opening.add_argument("file", type=Path)
    opening.add_argument("--key", type=Path, required=True)
    opening.add_argument("--passphrase-file", type=Path, help=words)
    opening.add_argument("--out", type=Path, help="where to write it; without it only what it is is said")


if __name__ == "__main__":
    raise SystemExit(main())
