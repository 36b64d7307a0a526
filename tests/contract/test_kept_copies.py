"""The hospital's store behind a real gateway: a folder of the inner zone and two S3-compatible services answer alike."""

import asyncio
import contextlib
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from foundation.object_store.bucket import Bucket
from front_gateway.keeping.stores import warn_if_overwriting
from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.hospitals import Gateway, identity
from tests.contract.started import free_port, wait_until
from tests.s3_servers import SERVERS, S3Server, s3_server

KEY = "sheets/2026/11/23/0193-a.pdf"
FILM = "recordings/0193/doctor-001.mkv"
CONTENT = os.urandom(6_000_001)
Settings = dict[str, str]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(
    gateway: Gateway, key: str, content: bytes, said: str = "", purpose: str = "keeping"
) -> httpx.Response:
    headers = {"x-content-sha256": said or digest(content), "x-purpose": purpose}
    return gateway.worker.put(f"/kept/{key}", content=content, headers=headers)


def ask(gateway: Gateway, method: str, key: str, purpose: str = "keeping") -> httpx.Response:
    return gateway.worker.request(method, f"/kept/{key}", headers={"x-purpose": purpose})


@contextlib.contextmanager
def before(settings: Settings, folder: Path, certificates: Certificates) -> Iterator[Gateway]:
    """A gateway with that store, and with no hospital behind it."""
    with httpx.Client() as nobody:
        absent = hospitals.Hospital("absent", f"http://127.0.0.1:{free_port()}/fhir", nobody)
        with hospitals.gateway_before(absent, folder, certificates, **settings) as gateway:
            yield gateway


@pytest.fixture(scope="module")
def s3_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], S3Server]]:
    started: dict[str, S3Server] = {}
    with contextlib.ExitStack() as stack:

        def of(name: str) -> S3Server:
            if name not in started:
                started[name] = stack.enter_context(s3_server(name, tmp_path_factory.mktemp(name)))
            return started[name]

        yield of


def in_folder(folder: Path) -> Settings:
    folder.mkdir()
    return {"STORE_FOLDER": str(folder)}


def in_bucket(server: S3Server) -> Settings:
    address = server.bucket()
    return {
        "STORE_URL": address.url, "STORE_BUCKET": address.bucket, "STORE_KEY_ID": address.key_id,
        "STORE_SECRET": address.secret, "STORE_PREFIX": address.prefix,
    }  # fmt: skip


@pytest.fixture(scope="module", params=["folder", *SERVERS])
def store(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    s3_servers: Callable[[str], S3Server],
) -> Settings:
    if request.param == "folder":
        return in_folder(tmp_path_factory.mktemp("inner") / "store")
    return in_bucket(s3_servers(request.param))


@pytest.fixture(scope="module")
def gateway(
    store: Settings, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Gateway]:
    with before(store, tmp_path_factory.mktemp("gateway"), certificates) as found:
        yield found


@pytest.fixture
def folder_gateway(tmp_path: Path, certificates: Certificates) -> Iterator[Gateway]:
    """Before a folder, `tmp_path/store`."""
    with before(in_folder(tmp_path / "store"), tmp_path, certificates) as found:
        yield found


def test_a_copy_is_added_compared_and_read_back(gateway: Gateway) -> None:
    added = put(gateway, KEY, CONTENT)
    compared, back = ask(gateway, "HEAD", KEY), ask(gateway, "GET", KEY)

    assert (added.status_code, compared.status_code, back.status_code) == (201, 200, 200)
    assert int(compared.headers["content-length"]) == len(CONTENT)
    assert compared.headers["x-content-sha256"] == digest(CONTENT)
    assert back.content == CONTENT


def test_the_same_bytes_again_are_taken_and_others_never(gateway: Gateway) -> None:
    key = "records/2026/11/23/once.json"
    assert put(gateway, key, b"first").status_code == 201

    again, other = put(gateway, key, b"first"), put(gateway, key, b"other")

    assert again.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "kept_otherwise")
    assert ask(gateway, "GET", key).content == b"first"


def test_what_is_not_what_was_announced_is_not_stored(gateway: Gateway) -> None:
    refused = put(gateway, FILM, CONTENT, said="0" * 64)

    assert (refused.status_code, refused.json()["code"]) == (400, "digest_mismatch")
    missing = ask(gateway, "GET", FILM)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_kept")


def test_every_copy_leaves_its_size_and_digest_in_the_audit(gateway: Gateway) -> None:
    put(gateway, "attachments/a/audited", b"a picture")

    text = "".join(file.read_text() for file in gateway.audit.glob("*.jsonl"))
    [line] = [one for one in text.splitlines() if '"object":"attachments/a/audited"' in one]
    assert f'"sha256":"{digest(b"a picture")}"' in line
    assert '"bytes_in":9' in line
    assert '"entry":"keep-documents"' in line


def test_an_empty_store_says_that_it_has_nothing(gateway: Gateway) -> None:
    assert ask(gateway, "HEAD", "sheets/none.pdf").status_code == 404
    assert ask(gateway, "GET", "sheets/none.pdf").status_code == 404


@pytest.mark.parametrize("method", ["DELETE", "POST", "PATCH", "OPTIONS"])
def test_nothing_is_removed_or_changed_through_the_gateway(folder_gateway: Gateway, method: str) -> None:
    put(folder_gateway, KEY, b"x")

    assert ask(folder_gateway, method, KEY).status_code == 403
    assert ask(folder_gateway, "GET", KEY).content == b"x"


@pytest.mark.parametrize("path", ["", "sheets", "sheets/", "other/a.pdf", "films/a.mkv", ".incoming/a"])
def test_nothing_is_listed_and_no_other_folder_is_there(folder_gateway: Gateway, path: str) -> None:
    assert ask(folder_gateway, "GET", path).status_code in (400, 403)


@pytest.mark.parametrize("key", ["sheets/a.b.c", "sheets/A.pdf", "sheets/a~b", "sheets/-a", "sheets/a/"])
def test_what_is_no_key_of_an_object_is_refused(folder_gateway: Gateway, key: str) -> None:
    assert put(folder_gateway, key, b"x").status_code == 400


def test_the_api_reads_and_never_adds(folder_gateway: Gateway) -> None:
    put(folder_gateway, KEY, b"x")
    headers = {"x-purpose": "reading", "x-content-sha256": digest(b"y")}

    read = folder_gateway.api.get(f"/kept/{KEY}", headers=headers)
    added = folder_gateway.api.put("/kept/sheets/b.pdf", content=b"y", headers=headers)

    assert (read.status_code, added.status_code) == (200, 403)


@pytest.mark.parametrize("purpose", ["", "treatment", "reading"])
def test_a_copy_without_its_purpose_is_not_taken(folder_gateway: Gateway, purpose: str) -> None:
    assert put(folder_gateway, KEY, b"x", purpose=purpose).status_code == 403


def test_a_document_as_large_as_a_film_is_refused_unread(folder_gateway: Gateway) -> None:
    refused = put(folder_gateway, KEY, bytes(20_000_001))

    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def test_a_film_passes_without_being_held(folder_gateway: Gateway) -> None:
    film = os.urandom(1_000_000) * 96
    process = psutil.Process(folder_gateway.process.pid)
    rest = process.memory_info().rss

    assert put(folder_gateway, FILM, film).status_code == 201
    assert digest(ask(folder_gateway, "GET", FILM).content) == digest(film)
    assert process.memory_info().rss - rest < 48_000_000


def _begin(gateway: Gateway, certificates: Certificates, key: str, size: int, sent: bytes) -> ssl.SSLSocket:
    """A copy of which only the beginning is sent."""
    url = httpx.URL(gateway.url)
    plain = socket.create_connection((url.host, url.port or 443))
    line = identity(certificates, "backend-worker").wrap_socket(plain, server_hostname=url.host)
    head = (
        f"PUT /kept/{key} HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\nx-purpose: keeping\r\n"
        f"x-content-sha256: {digest(CONTENT)}\r\n\r\n"
    )
    line.sendall(head.encode() + sent)
    return line


def test_a_gateway_that_is_killed_in_mid_copy_leaves_nothing_and_the_copy_is_made_again(
    tmp_path: Path, certificates: Certificates
) -> None:
    settings = in_folder(tmp_path / "store")
    incoming = tmp_path / "store" / ".incoming"
    for name in "ab":
        (tmp_path / name).mkdir()
    with before(settings, tmp_path / "a", certificates) as first:
        line = _begin(first, certificates, KEY, len(CONTENT), CONTENT[:3_000_000])
        wait_until(
            lambda: incoming.is_dir() and any(one.stat().st_size for one in incoming.iterdir()), "a beginning"
        )
        first.process.kill()
        first.process.wait(10)
        line.close()

    assert not (tmp_path / "store" / KEY).exists()
    with before({**settings, "GATEWAY_NAME": "b"}, tmp_path / "b", certificates) as second:
        assert put(second, KEY, CONTENT).status_code == 201
        assert ask(second, "GET", KEY).content == CONTENT


def test_what_was_left_unfinished_is_removed_a_day_later(tmp_path: Path, certificates: Certificates) -> None:
    settings = in_folder(tmp_path / "store")
    incoming = tmp_path / "store" / ".incoming"
    incoming.mkdir()
    (incoming / "old").write_bytes(b"x")
    (incoming / "new").write_bytes(b"x")
    os.utime(incoming / "old", (time.time() - 90_000,) * 2)

    with before(settings, tmp_path, certificates):
        assert [one.name for one in incoming.iterdir()] == ["new"]


def test_a_caller_who_hangs_up_leaves_nothing(
    folder_gateway: Gateway, certificates: Certificates, tmp_path: Path
) -> None:
    line = _begin(folder_gateway, certificates, KEY, len(CONTENT), CONTENT[:3_000_000])
    incoming = tmp_path / "store" / ".incoming"
    wait_until(lambda: incoming.is_dir() and any(incoming.iterdir()), "a beginning")
    line.close()

    wait_until(lambda: not any(incoming.iterdir()), "the beginning being removed")
    assert ask(folder_gateway, "HEAD", KEY).status_code == 404


@pytest.mark.parametrize("settings", [{}, {"STORE_URL": "http://127.0.0.1:1", "STORE_BUCKET": "kept",
                                          "STORE_KEY_ID": "a", "STORE_SECRET": "b"}])  # fmt: skip
def test_a_store_that_is_not_there_is_said_to_be_unreachable(
    settings: Settings, tmp_path: Path, certificates: Certificates
) -> None:
    with before(settings, tmp_path, certificates) as gateway:
        refused = put(gateway, KEY, b"x")

    assert (refused.status_code, refused.json()["code"]) == (503, "store_unreachable")


def test_a_store_that_does_not_let_us_in_is_unusable(
    tmp_path: Path, certificates: Certificates, s3_servers: Callable[[str], S3Server]
) -> None:
    settings = {**in_bucket(s3_servers("rclone")), "STORE_SECRET": "another"}
    with before(settings, tmp_path, certificates) as gateway:
        refused = put(gateway, KEY, b"x")

    assert (refused.status_code, refused.json()["code"]) == (502, "store_answer_unusable")


@pytest.mark.parametrize("name", SERVERS)
def test_a_service_that_overwrites_is_named_at_start(
    name: str, s3_servers: Callable[[str], S3Server], capfd: pytest.CaptureFixture[str]
) -> None:
    server = s3_servers(name)

    asyncio.run(warn_if_overwriting(Bucket(server.bucket())))

    told = capfd.readouterr()
    assert ("store_overwrites" in told.out + told.err) is not server.honours_conditions
