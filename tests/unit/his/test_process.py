import datetime
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.his.conftest import Server

Issue = Callable[[str, str], tuple[Path, Path]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(world: Path, data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HIS_")}
    return {
        **kept,
        "ENV": "test",
        "HOST": "127.0.0.1",
        "HIS_WORLD": str(world),
        "HIS_DATA": str(data),
        "PORT": str(_free_port()),
        "HEALTH_PORT": str(_free_port()),
        **more,
    }


@contextmanager
def _running(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    health = f"http://127.0.0.1:{env['HEALTH_PORT']}/readyz"
    with subprocess.Popen(
        [sys.executable, "-m", "simulators", "his"], env=env, stderr=subprocess.PIPE
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    if httpx.get(health).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.02)
            yield process
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Issue]:
    """A root, and a function that issues (certificate, key) for a common name and a URI."""
    folder = tmp_path_factory.mktemp("certificates")
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    now = datetime.datetime.now(datetime.UTC)

    def build(name: x509.Name, key: ec.EllipticCurvePrivateKey, uri: str | None) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=uri is None, path_length=None), critical=True)
        )
        if uri is not None:
            names = [x509.UniformResourceIdentifier(uri), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(root_key, hashes.SHA256())

    root = folder / "root.pem"
    root.write_bytes(build(root_name, root_key, None).public_bytes(serialization.Encoding.PEM))

    def issue(name: str, uri: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, key_file = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(build(subject, key, uri).public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, key_file

    return root, issue


def _context(root: Path, pair: tuple[Path, Path] | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root)
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


def test_only_known_clients_come_in_by_mutual_tls(
    his: Server, tmp_path: Path, authority: tuple[Path, Issue]
) -> None:
    root, issue = authority
    certificate, key = issue("his", "urn:test:his")
    gateway, stranger = issue("gateway", "urn:test:gateway"), issue("stranger", "urn:test:stranger")
    env = _environment(
        his.world,
        tmp_path,
        HIS_TLS_CERT=str(certificate),
        HIS_TLS_KEY=str(key),
        HIS_TLS_CA=str(root),
        HIS_TLS_CLIENTS="urn:test:gateway",
    )
    url = f"https://localhost:{env['PORT']}/metadata"

    with _running(env):
        answer = httpx.get(url, verify=_context(root, gateway))
        assert answer.status_code == 200
        assert answer.json()["implementation"]["url"] == f"https://localhost:{env['PORT']}"
        for unwelcome in (None, stranger):
            with pytest.raises(httpx.TransportError):
                httpx.get(url, verify=_context(root, unwelcome))


def test_the_second_start_is_immediate_and_remembers(his: Server, tmp_path: Path) -> None:
    env = _environment(his.world, tmp_path)
    with _running(env) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert len(list(tmp_path.glob("his-*.sqlite"))) == 1

    with _running(env):
        url = f"http://127.0.0.1:{env['PORT']}/Patient/P0000001"
        assert httpx.get(url).status_code == 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"HIS_WORLD": ""}, "HIS_WORLD"),
        ({"HIS_WORLD": "nowhere"}, "HIS_WORLD"),
        ({"HIS_DATA": ""}, "HIS_DATA"),
        ({"HIS_DATA": "no/where"}, "HIS_DATA"),
        ({"HOST": "0.0.0.0"}, "HIS_TLS_CERT"),
        ({"HIS_TLS_CERT": "missing.pem"}, "HIS_TLS_CERT"),
        ({"PORT": "http"}, "PORT"),
        ({"HIS_BASE_URL": "here"}, "HIS_BASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_2(
    his: Server, tmp_path: Path, change: dict[str, str], named: str
) -> None:
    env = _environment(his.world, tmp_path, **change)

    done = subprocess.run(
        [sys.executable, "-m", "simulators", "his"], env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(named)


def test_a_world_that_cannot_be_read_ends_the_process(his: Server, tmp_path: Path) -> None:
    world, data = tmp_path / "world", tmp_path / "data"
    world.mkdir()
    data.mkdir()
    for path in his.world.iterdir():
        (world / path.name).write_bytes(path.read_bytes())
    (world / "residents.json").write_text('[{"id": 5}]')

    done = subprocess.run(
        [sys.executable, "-m", "simulators", "his"],
        env=_environment(world, data),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("HIS_WORLD")
    assert list(data.glob("*.sqlite")) == []
