"""`python -m regulator_adapter.conformance <url> …`: run the cases, say what came of each; status 1 when one failed.

Secrets come from the environment: CONFORMANCE_APP_SECRET and CONFORMANCE_IV (16 bytes as hex; the first may be a place, as for the adapter), CONFORMANCE_PIN of a security module.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from foundation.clock import Clock
from foundation.settings import load_or_exit
from foundation.suites import signer
from foundation.suites.secret_keys import secret_key
from foundation.tls import client_context
from regulator_adapter import profiles
from regulator_adapter.city_wire import Credentials
from regulator_adapter.conformance.cases import Outcome, Verdict, run
from regulator_adapter.conformance.examples import Examples
from regulator_adapter.conformance.kit import Kit, Options
from regulator_adapter.conformance.settings import Secrets
from regulator_adapter.organisation import Organisation

MARKS = {Outcome.PASSED: "ok  ", Outcome.FAILED: "FAIL", Outcome.NOT_TRIED: "-   "}


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 all that was tried passed, 1 not, 2 wrong use."""
    chosen = _parser().parse_args(arguments)
    if not chosen.test_environment:
        sys.stderr.write("conformance: it stores test records; say --test-environment when that is one\n")
        return 2
    try:
        kit = _kit(chosen)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 2
    verdicts = asyncio.run(run(kit, frozenset(chosen.only)))
    if chosen.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdicts)).decode() + "\n")
    else:
        sys.stdout.write("".join(_line(verdict) for verdict in verdicts))
    return 1 if any(verdict.outcome is Outcome.FAILED for verdict in verdicts) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m regulator_adapter.conformance", description=__doc__)
    parser.add_argument("url", help="the receiver without path, such as https://127.0.0.1:8410")
    parser.add_argument("--profile", required=True, choices=profiles.NAMES)
    parser.add_argument("--app-key", required=True)
    parser.add_argument("--unit-id", required=True)
    parser.add_argument(
        "--organ-id", required=True, help="unified code of the hospital the access belongs to"
    )
    parser.add_argument("--organ-name", default="联调测试医院")
    parser.add_argument("--cert", type=Path, help="our certificate, for a receiver behind mutual TLS")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument(
        "--signing-key", default="", help="PEM file or pkcs11:…, for a profile that is signed by a key"
    )
    parser.add_argument("--pkcs11-module", default="")
    parser.add_argument("--controls", default="", help="plain port of a receiver that makes faults on demand")
    parser.add_argument(
        "--unlisted-address", default="", help="an address of this machine the receiver does not list"
    )
    parser.add_argument("--quota", action="store_true", help="fill the quota of the test environment as well")
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of cases")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--test-environment", action="store_true", help="yes, no patient's record goes there")
    return parser


def _kit(chosen: argparse.Namespace) -> Kit:
    profile, given = profiles.profile(chosen.profile), load_or_exit(Secrets)
    key = None
    if chosen.signing_key:
        key = signer(chosen.signing_key, given.conformance_pin, chosen.pkcs11_module)
    secret = secret_key(given.conformance_app_secret, given.conformance_pin, chosen.pkcs11_module)
    credentials = Credentials(chosen.app_key, secret, given.conformance_iv, key)
    tls = client_context(chosen.cert, chosen.key, chosen.root) if chosen.cert else None
    organisation = Organisation(chosen.organ_id, chosen.unit_id, chosen.organ_name)
    examples = Examples(profile, organisation, f"CT{secrets.token_hex(4)}", Clock().now())
    options = Options(chosen.quota, chosen.controls, chosen.unlisted_address)
    return Kit(chosen.url.rstrip("/") + profile.path, profile, credentials, examples, tls, options)


def _line(verdict: Verdict) -> str:
    told = f"\n        {verdict.told}" if verdict.told else ""
    return f"{MARKS[verdict.outcome]} {verdict.number:3d} {verdict.area:11s} {verdict.demands}{told}\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
