import os
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from foundation import tls
from standalone import certificates
from standalone.certificates import Certificates, Pair, Zone
from standalone.paths import DataFolder, data_folder
from tests.unit.standalone.conftest import AS_ROOT

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return data_folder(tmp_path / "data")


@pytest.fixture
def made(folder: DataFolder) -> Certificates:
    return certificates.ensure(folder)


def verify(root: Path, certificate: Path, purpose: str) -> "subprocess.CompletedProcess[bytes]":
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        str(root),
        str(certificate),
    ]
    return subprocess.run(command, capture_output=True, check=False)


def shake_hands(server: tuple[Pair, Path], client: tuple[Pair, Path]) -> tuple[str, str]:
    """Identities that server and client see of one another; each trusts the root given with it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    listening = tls.server_context(server[0].certificate, server[0].key, server[1])
    calling = tls.client_context(client[0].certificate, client[0].key, client[1])
    here = listening.wrap_bio(to_server, to_client, server_side=True)
    there = calling.wrap_bio(to_client, to_server, server_hostname="localhost")
    done = {id(there): False, id(here): False}
    for _ in range(10):
        for side in (there, here):
            try:
                side.do_handshake()
                done[id(side)] = True
            except ssl.SSLWantReadError:
                pass
        if all(done.values()):
            return tls.uri_identity(here.getpeercert()), tls.uri_identity(there.getpeercert())
    raise AssertionError("the handshake does not end")


@pytest.mark.parametrize(
    ("process", "purpose"),
    [
        ("backend-api", "sslclient"),
        ("backend-worker", "sslclient"),
        ("gateway-a", "sslserver"),
        ("his", "sslserver"),
    ],
)
def test_openssl_accepts_a_process_of_the_hospital_under_its_root_only(
    made: Certificates, process: str, purpose: str
) -> None:
    assert verify(made.hospital.root, made.hospital[process].certificate, purpose).returncode == 0
    assert verify(made.platform.root, made.hospital[process].certificate, purpose).returncode != 0


def test_a_caller_is_no_server(made: Certificates) -> None:
    assert (
        verify(made.hospital.root, made.hospital["backend-worker"].certificate, "sslserver").returncode != 0
    )


def test_every_certificate_names_its_process(made: Certificates) -> None:
    for zone in (made.hospital, made.platform):
        for process, pair in zone.pairs.items():
            certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            uris = names.get_values_for_type(x509.UniformResourceIdentifier)
            assert uris == [f"spiffe://internet-hospital/{process}"] == [pair.identity]
            assert names.get_values_for_type(x509.DNSName) == ["localhost"]
            assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_both_sides_of_a_connection_know_whom_they_speak_to(made: Certificates) -> None:
    hospital = made.hospital

    seen = shake_hands((hospital["gateway-a"], hospital.root), (hospital["backend-api"], hospital.root))

    assert seen == ("spiffe://internet-hospital/backend-api", "spiffe://internet-hospital/gateway-a")


def test_the_platform_lets_in_what_its_own_root_signed(made: Certificates) -> None:
    platform, hospital = made.platform, made.hospital
    server = (platform["supervision"], platform.root)

    seen = shake_hands(server, (platform["gateway-b"], platform.root))

    assert seen == ("spiffe://internet-hospital/gateway-b", "spiffe://internet-hospital/supervision")
    with pytest.raises(ssl.SSLError):
        shake_hands(server, (hospital["gateway-b"], platform.root))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, (platform["gateway-b"], hospital.root))


def contents(zone: Zone) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(zone.root.parent.iterdir())}


def test_a_second_run_changes_nothing(folder: DataFolder, made: Certificates) -> None:
    before = contents(made.hospital), contents(made.platform)

    again = certificates.ensure(folder)

    assert (contents(again.hospital), contents(again.platform)) == before


def test_a_certificate_is_renewed_thirty_days_before_it_ends(folder: DataFolder, made: Certificates) -> None:
    before = contents(made.hospital)

    certificates.ensure(folder, now=datetime.now(UTC) + timedelta(days=366))
    assert contents(made.hospital) == before

    certificates.ensure(folder, now=datetime.now(UTC) + timedelta(days=368))
    after = contents(made.hospital)
    assert {name for name in before if before[name] != after[name]} == set(before) - {"root.pem", "root.key"}


def test_a_new_root_signs_everything_anew(folder: DataFolder, made: Certificates) -> None:
    before = contents(made.platform)

    again = certificates.ensure(folder, now=datetime.now(UTC) + timedelta(days=3640))

    after = contents(again.platform)
    assert all(before[name] != after[name] for name in before)
    made.platform.root.write_bytes(b"damaged")
    mended = certificates.ensure(folder)
    assert (
        verify(mended.platform.root, mended.platform["supervision"].certificate, "sslserver").returncode == 0
    )


def test_a_key_that_does_not_fit_is_replaced(folder: DataFolder, made: Certificates) -> None:
    pair = made.hospital["his"]
    pair.key.write_bytes(made.hospital["adapter"].key.read_bytes())

    certificates.ensure(folder)

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)


def test_the_web_certificate_follows_the_addresses_of_the_machine(
    folder: DataFolder, made: Certificates
) -> None:
    before = contents(made.hospital)

    certificates.ensure(folder, hosts=["192.168.1.7", "hospital.lan"])

    after = contents(made.hospital)
    assert {name for name in before if before[name] != after[name]} == {"web.pem", "web.key"}
    shown = subprocess.run(
        ["openssl", "x509", "-in", made.web.certificate, "-noout", "-checkip", "192.168.1.7"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert b"does match" in shown.stdout


def test_keys_are_for_their_owner_only(made: Certificates) -> None:
    for zone in (made.hospital, made.platform):
        for path in zone.root.parent.iterdir():
            expected = 0o600 if path.suffix == ".key" else 0o644
            assert stat.S_IMODE(path.stat().st_mode) == expected, path.name


@pytest.mark.skipif(not AS_ROOT, reason="only root can give files away")
def test_a_key_belongs_to_the_account_that_runs_the_process(folder: DataFolder) -> None:
    made = certificates.ensure(folder, owner=(65534, 65534))

    assert made.hospital["his"].key.stat().st_uid == 65534
    assert (made.hospital.root.parent / "root.key").stat().st_uid == os.geteuid()


def test_the_command_makes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "standalone.certificates", "--data", str(tmp_path / "data")]

    run = subprocess.run(
        [*command, "--host", "10.0.0.9"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    refused = subprocess.run(
        [*command, "--host", "no host"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    assert "spiffe://internet-hospital/backend-api" in run.stdout
    assert (tmp_path / "data" / "certs" / "hospital" / "web.pem").is_file()
    assert refused.returncode == 2
