"""The conformance kit before our platform, which it must pass, and before sloppy ones, which it must find out."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import gmssl_pyx
import pytest
from aiohttp import web

from foundation.clock import Clock
from foundation.suites import signer
from foundation.suites.commercial import Sm2Signer
from foundation.suites.key_files import sm2_pem
from foundation.suites.secret_keys import secret_key
from foundation.tls import client_context
from regulator_adapter import profiles
from regulator_adapter.city_wire import Credentials
from regulator_adapter.conformance.cases import CASES, Outcome, Verdict, run
from regulator_adapter.conformance.examples import Examples
from regulator_adapter.conformance.kit import Kit, Options
from regulator_adapter.organisation import read_organisation
from regulator_adapter.profiles.checking import check
from standalone.certificates import Certificates
from tests.contract import platforms
from tests.contract.platforms import ACCESS, WORLD, Platform
from tests.unit.suites.tokens import MODULE, token

pytestmark = pytest.mark.anyio

PUBLIC, PRIVATE = gmssl_pyx.sm2_key_generate()
SIGNER = Sm2Signer(b"\x04" + PUBLIC, PRIVATE)
ORGANISATION = read_organisation(WORLD / "hospital.json", ACCESS["UNIT_ID"])


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Platform]:
    """A platform that listens to two of this machine's addresses and lists one of them."""
    folder = tmp_path_factory.mktemp("conformance")
    settings = {"SUPERVISION_SIGNING_PUBLIC": SIGNER.public.hex(), "SUPERVISION_ADDRESSES": "127.0.0.1"}
    with platforms.platform(folder, certificates, **settings) as running:
        yield running


def kit_for(url: str, name: str, certificates: Certificates | None, options: Options) -> Kit:
    profile = profiles.profile(name)
    credentials = Credentials(
        ACCESS["APP_KEY"], secret_key(ACCESS["APP_SECRET"]), bytes.fromhex(ACCESS["IV"]), SIGNER
    )
    tls = None
    if certificates is not None:
        pair = certificates.platform["gateway-a"]
        tls = client_context(pair.certificate, pair.key, certificates.platform.root)
    examples = Examples(profile, ORGANISATION, f"CT{secrets.token_hex(4)}", Clock().now())
    return Kit(url + profile.path, profile, credentials, examples, tls, options)


@pytest.mark.parametrize("name", profiles.NAMES)
def test_every_example_is_whole_by_its_table(name: str) -> None:
    profile = profiles.profile(name)
    examples = Examples(profile, ORGANISATION, "CT", Clock().now())

    for method in profile.methods.values():
        record = examples.record(method.name)
        assert check(profile, method, record) == (record, []), method.name


@pytest.mark.parametrize("name", profiles.NAMES)
async def test_our_platform_passes_every_case(city: Platform, certificates: Certificates, name: str) -> None:
    options = Options(controls=str(city.controls.base_url), unlisted="127.0.0.2")

    verdicts = await run(kit_for(city.url, name, certificates, options))

    failed = [f"{one.number} {one.demands} {one.told}" for one in verdicts if one.outcome is Outcome.FAILED]
    assert failed == []
    not_tried = {one.number for one in verdicts if one.outcome is Outcome.NOT_TRIED}
    assert not_tried <= {36} | ({31, 22} if name == "shanghai" else set()), not_tried


async def test_the_quota_of_the_test_environment_is_found(tmp_path: Path, certificates: Certificates) -> None:
    with platforms.platform(tmp_path, certificates, SUPERVISION_QUOTA="enforce") as strict:
        kit = kit_for(strict.url, "tianjin-1.0", certificates, Options(quota=True))
        [verdict] = await run(kit, frozenset({36}))

    assert (verdict.outcome, verdict.told) == (Outcome.PASSED, "")


async def test_a_key_in_a_security_module_signs_for_the_platform(
    tmp_path: Path, certificates: Certificates
) -> None:
    inside = token()
    key = signer(inside.uri("sign"), inside.pin, MODULE)
    with platforms.platform(tmp_path, certificates, SUPERVISION_SIGNING_PUBLIC=key.public.hex()) as city:
        kit = kit_for(city.url, "guangdong", certificates, Options())
        kit.credentials = replace(kit.credentials, signer=key)
        verdicts = await run(kit, frozenset({1, 10, 11}))

    assert [(one.number, one.outcome, one.told) for one in verdicts] == [
        (number, Outcome.PASSED, "") for number in (1, 10, 11)
    ]


@asynccontextmanager
async def answering(said: object, status: int = 200) -> AsyncIterator[str]:
    """A receiver that says the same to everybody."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(said, status=status)

    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def outcomes(said: object, status: int = 200, name: str = "tianjin-1.0") -> dict[int, Verdict]:
    async with answering(said, status) as url:
        return {one.number: one for one in await run(kit_for(url, name, None, Options()))}


async def test_a_receiver_that_takes_everything_is_found_out() -> None:
    found = await outcomes({"code": 200, "body": {"msgCode": 200, "msg": "ok"}})

    passed = {number for number, one in found.items() if one.outcome is Outcome.PASSED}
    assert passed == {1, 2, 30}
    assert found[3].told == "expected outer 40004, got inner 200 ok"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"code": 40010, "msg": "no"}, 200), ({}, 200), ([], 200), ("", 200), ({"code": 200}, 200), ({}, 503), ({}, 404),
    ],
)  # fmt: skip
async def test_a_receiver_that_takes_nothing_fails_and_breaks_nothing(said: object, status: int) -> None:
    found = await outcomes(said, status)

    assert found[1].outcome is Outcome.FAILED
    assert set(found) == {case.number for case in CASES}


async def test_a_receiver_that_says_nothing_of_its_rows_is_found_out() -> None:
    found = await outcomes({"code": 200, "body": {"msgCode": 200, "rows": []}}, name="guangdong")

    assert found[1].outcome is Outcome.FAILED


def test_the_command_prints_what_came_of_each_case(
    city: Platform, certificates: Certificates, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(sm2_pem(PRIVATE, b"\x04" + PUBLIC))
    pair = certificates.platform["gateway-a"]
    arguments = [
        city.url, "--profile", "guangdong", "--app-key", ACCESS["APP_KEY"], "--unit-id", ACCESS["UNIT_ID"],
        "--organ-id", ORGANISATION.code, "--cert", str(pair.certificate), "--key", str(pair.key),
        "--root", str(certificates.platform.root), "--signing-key", str(key), "--only", "1", "10", "32",
    ]  # fmt: skip

    refused = command(*arguments)
    done = command(*arguments, "--test-environment")
    as_json = command(*arguments, "--test-environment", "--json")

    assert (refused.returncode, done.returncode) == (2, 0), done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if line[0] != " "] == ["ok", "ok", "-"]
    assert [one["outcome"] for one in json.loads(as_json.stdout)] == ["passed", "passed", "not tried"]


def test_numbers_of_cases_are_given_once_and_each_says_what_it_demands() -> None:
    numbers = [case.number for case in CASES]

    assert numbers == sorted(set(numbers))
    assert all(case.demands.endswith((".", "bad.")) for case in CASES)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    secret = {"CONFORMANCE_APP_SECRET": ACCESS["APP_SECRET"], "CONFORMANCE_IV": ACCESS["IV"]}
    return subprocess.run(
        [sys.executable, "-m", "regulator_adapter.conformance", *arguments],
        env={**os.environ, **secret}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
