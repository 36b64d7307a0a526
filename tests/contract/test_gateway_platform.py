"""The gateway before the city platform, which lets in nobody but the gateways: what comes back is what it said."""

import base64
import contextlib
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from foundation.tls import client_context
from standalone.certificates import Certificates
from standalone.people.world import make_world
from tests.contract import hospitals
from tests.contract.hospitals import Gateway, environment, identity
from tests.contract.started import free_port, running

HEADERS = {
    "Content-Type": "application/json", "X-Ca-Key": "contract-test", "X-Ca-Nonce": "0199a000", "X-Ca-Timestamp": "1",
    "X-Content-MD5": "00", "X-Ca-Signature": "00", "X-Service-Id": "his.provinceDataUploadService",
    "X-Service-Method": "none",
}  # fmt: skip


@contextlib.contextmanager
def platform(folder: Path, certificates: Certificates) -> Iterator[str]:
    """The simulated city platform; its address."""
    make_world(folder / "world", "s", today=date(2026, 11, 22))
    (folder / "platform").mkdir()
    port, console = free_port(), free_port()
    pair = certificates.platform["supervision"]
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(console),
        SUPERVISION_WORLD=str(folder / "world"),
        SUPERVISION_DATA=str(folder / "platform"),
        SUPERVISION_UNIT_ID="unit",
        SUPERVISION_APP_KEY="contract-test",
        SUPERVISION_APP_SECRET="00" * 16,
        SUPERVISION_IV="00" * 16,
        SUPERVISION_TLS_CERT=str(pair.certificate),
        SUPERVISION_TLS_KEY=str(pair.key),
        SUPERVISION_TLS_CA=str(certificates.platform.root),
        SUPERVISION_TLS_CLIENTS=certificates.platform["gateway-a"].identity,
    )
    command = [sys.executable, "-m", "simulators", "supervision"]
    with running(command, port=port, folder=folder, env=env, name="supervision"):
        yield f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def before_platform(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[tuple[Gateway, str]]:
    """A gateway, and the platform's own address."""
    folder = tmp_path_factory.mktemp("platform")
    nobody = hospitals.Hospital("nobody", "http://127.0.0.1:9", httpx.Client())
    with (
        nobody.fhir,
        platform(folder, certificates) as url,
        hospitals.gateway_before(nobody, folder, certificates, CITY_URL=url) as gateway,
    ):
        yield gateway, url


def directly(certificates: Certificates) -> httpx.Client:
    """As the gateway itself stands before the platform."""
    pair = certificates.platform["gateway-a"]
    return httpx.Client(verify=client_context(pair.certificate, pair.key, certificates.platform.root))


@pytest.mark.parametrize("path", ["/openapi/api", "/shanghai/api", "/guangdong/api"])
def test_the_platforms_words_come_back_byte_for_byte(
    before_platform: tuple[Gateway, str], certificates: Certificates, path: str
) -> None:
    gateway, url = before_platform
    with directly(certificates) as platform_client:
        said = platform_client.post(f"{url}{path}", content=b"00" * 16, headers=HEADERS)

    with httpx.Client(verify=identity(certificates, "adapter")) as adapter:
        heard = adapter.post(f"{gateway.url}{path}", content=b"00" * 16, headers=HEADERS)

    assert (heard.status_code, heard.content) == (said.status_code, said.content)
    assert heard.headers["content-type"] == said.headers["content-type"]


def test_the_adapter_hears_once_which_certificate_the_platform_showed(
    before_platform: tuple[Gateway, str], certificates: Certificates
) -> None:
    gateway, _ = before_platform
    with httpx.Client(verify=identity(certificates, "adapter")) as adapter:
        heard = [
            adapter.post(f"{gateway.url}/openapi/api", content=b"00" * 16, headers=HEADERS | {"X-Platform-Certificate": "x"})
            for _ in range(20)
        ]  # fmt: skip

    told = [one.headers["x-platform-certificate"] for one in heard if "x-platform-certificate" in one.headers]
    shown = certificates.platform["supervision"].certificate.read_bytes()
    assert {base64.b64decode(one) for one in told} <= {
        load_pem_x509_certificate(shown).public_bytes(Encoding.DER)
    }
    assert len(told) < 20


def test_the_platform_is_the_adapters_alone(before_platform: tuple[Gateway, str]) -> None:
    gateway, _ = before_platform

    for caller in (gateway.api, gateway.worker):
        assert caller.post("/openapi/api", content=b"x", headers=HEADERS).json()["code"] == "not_listed"


def test_the_platform_lets_nobody_in_who_is_no_gateway(
    before_platform: tuple[Gateway, str], certificates: Certificates
) -> None:
    _, url = before_platform

    with (
        pytest.raises(httpx.TransportError),
        httpx.Client(verify=identity(certificates, "adapter")) as adapter,
    ):
        adapter.post(f"{url}/openapi/api", content=b"x", headers=HEADERS)


def test_readiness_names_only_the_hospital_that_is_not_there(before_platform: tuple[Gateway, str]) -> None:
    gateway, _ = before_platform

    assert httpx.get(f"{gateway.health}/readyz").json()["failed"] == ["his"]
