"""`python -m standalone up | journey | code | doctor | reset`: everything on one machine.

Libraries are imported late: the fork server begins to import its own on another core before this process does.
"""

import argparse
import asyncio
import json
import runpy
import sys
from importlib.util import find_spec

from standalone.failure import StartFailed, StoreError
from standalone.options import NAMES, Options, read_or_exit


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 when something does not work, 2 for wrong arguments or settings."""
    parser = argparse.ArgumentParser(
        prog="python -m standalone",
        description="An internet hospital on one machine.",
        epilog="variables: " + "; ".join(f"{name}: {meaning}" for name, meaning in NAMES.items()),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="start everything; Ctrl-C stops it")
    journey = commands.add_parser("journey", help="play one visit through the front door")
    journey.add_argument("rest", nargs=argparse.REMAINDER)
    code = commands.add_parser("code", help="the present one-time code of a member of staff")
    code.add_argument(
        "who", nargs="?", default="doctor01", help="login or part, such as doctor01 or pharmacist"
    )
    commands.add_parser("doctor", help="say what this machine lacks")
    reset = commands.add_parser("reset", help="delete the data folder")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    chosen = parser.parse_args(arguments)
    options = read_or_exit()
    try:
        return _run(chosen, options)
    except (StartFailed, StoreError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _run(chosen: argparse.Namespace, options: Options) -> int:
    match chosen.command:
        case "up":
            _up(options)
        case "journey":
            return _journey(options, chosen.rest)
        case "code":
            return _code(options, chosen.who)
        case "doctor":
            from standalone.doctor import doctor

            return doctor(options)
        case "reset":
            from standalone.removing import reset

            reset(options, sure=chosen.yes)
    return 0


def _up(options: Options) -> None:
    from standalone.system import make_children

    children = make_children(options.environ)
    from standalone.running import up

    asyncio.run(up(options, children))


def _journey(options: Options, rest: list[str]) -> int:
    if find_spec("standalone.journey") is None:
        sys.stderr.write("there is no journey client in this version\n")
        return 2
    sys.argv = ["python -m standalone journey", "--data", str(options.data), *rest]
    runpy.run_module("standalone.journey", run_name="__main__", alter_sys=True)
    return 0


def _code(options: Options, who: str) -> int:
    import pyotp

    file = options.data / "world" / "demo.json"
    people = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    staff = [one for one in (*people.values(), *people.get("doctors", ())) if isinstance(one, dict)]
    found = people.get(who) if isinstance(people.get(who), dict) else None
    found = found or next((one for one in staff if one.get("login") == who), None)
    if found is None or "totp_secret" not in found:
        sys.stderr.write(f"no member of staff has the login {who} in {options.data}\n")
        return 1
    print(pyotp.TOTP(found["totp_secret"]).now())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
