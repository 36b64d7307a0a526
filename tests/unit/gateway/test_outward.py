"""To the city platform: bytes unchanged both ways, headers by the list, nothing else."""

import hashlib
from collections.abc import Callable

import httpx
import pytest
from aiohttp import web

from tests.unit.gateway.background import Running, Seen

Caller = Callable[[str], httpx.Client]
SIGNED = {
    "X-Ca-Key": "key", "X-Ca-Nonce": "n-1", "X-Content-MD5": "ABC", "X-Service-Id": "s", "Content-Type": "application/json",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/openapi/api", "/shanghai/api", "/guangdong/api"])
@pytest.mark.parametrize("body", [b"", b"ab\r\n\x00\xff", b'{"a": 1}', bytes(range(256)) * 800])
def test_bytes_pass_unchanged_both_ways(running: Running, caller: Caller, path: str, body: bytes) -> None:
    running.city.answers["*"] = lambda seen: web.Response(
        body=seen.body[::-1], content_type="application/json"
    )

    reply = caller("adapter").post(path, content=body, headers=SIGNED)

    [seen] = running.city.seen
    assert (seen.method, seen.target, seen.body) == ("POST", path, body)
    assert reply.content == body[::-1]


def test_only_listed_headers_pass_out(running: Running, caller: Caller) -> None:
    running.city.on("*", b"{}")
    extra = {
        "Cookie": "a=b",
        "Authorization": "Bearer x",
        "X-Forwarded-For": "10.0.0.1",
        "X-Internal": "secret",
    }

    caller("adapter").post("/openapi/api", content=b"x", headers={**SIGNED, **extra})

    [seen] = running.city.seen
    assert {name: seen.headers[name.lower()] for name in SIGNED} == SIGNED
    assert set(seen.headers) == {name.lower() for name in SIGNED} | {"host", "content-length", "accept"}


def test_only_listed_headers_come_back(running: Running, caller: Caller) -> None:
    running.city.on("*", b"{}", set_cookie="a=b", x_powered_by="php", x_ca_error="none")

    reply = caller("adapter").post("/openapi/api", content=b"x", headers=SIGNED)

    assert reply.headers["x-ca-error"] == "none"
    assert not {"set-cookie", "x-powered-by"} & set(reply.headers)


@pytest.mark.parametrize("status", [200, 400, 401, 413, 500])
def test_what_the_platform_says_is_passed_on(running: Running, caller: Caller, status: int) -> None:
    running.city.on("*", b'{"code":40010}', status=status)

    reply = caller("adapter").post("/openapi/api", content=b"x", headers=SIGNED)

    assert (reply.status_code, reply.content) == (status, b'{"code":40010}')


@pytest.mark.parametrize(
    ("status", "expected"),
    [(302, (502, "platform_answer_unusable")), (502, (502, "platform_answer_unusable")),
     (503, (503, "platform_unreachable")), (504, (502, "platform_answer_unusable"))],
)  # fmt: skip
def test_a_gateway_of_theirs_that_answers_is_no_platform(
    running: Running, caller: Caller, status: int, expected: tuple[int, str]
) -> None:
    running.city.on("*", b"", status=status, location="https://elsewhere.example/")

    reply = caller("adapter").post("/openapi/api", content=b"x", headers=SIGNED)

    assert (reply.status_code, reply.json()["code"]) == expected


def test_a_body_over_the_limit_stays_inside(running: Running, caller: Caller) -> None:
    reply = caller("adapter").post("/openapi/api", content=b"x" * 1_000_001, headers=SIGNED)

    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")
    assert running.city.seen == []


def test_a_compressed_answer_stays_as_it_is(running: Running, caller: Caller) -> None:
    def packed(_: Seen) -> web.Response:
        return web.Response(
            body=b"\x1f\x8bnot really", headers={"Content-Encoding": "gzip", "Content-Type": "x/y"}
        )

    running.city.answers["*"] = packed

    assert caller("adapter").post("/openapi/api", content=b"x").content == b"\x1f\x8bnot really"


def test_a_call_is_never_sent_twice(running: Running, caller: Caller) -> None:
    def hang_up(_: Seen) -> web.Response:
        raise ConnectionResetError

    running.city.answers["*"] = hang_up

    reply = caller("adapter").post("/openapi/api", content=b"x", headers=SIGNED)

    assert reply.status_code in (500, 503)
    assert len(running.city.seen) == 1


def test_the_audit_says_how_much_passed_and_nothing_of_it(running: Running, caller: Caller) -> None:
    running.city.on("*", b'{"code":200}')

    caller("adapter").post("/openapi/api", content=b"sealed content", headers=SIGNED)

    [line] = running.audit()
    assert (line["entry"], line["bytes_in"], line["bytes_out"]) == ("platform-tianjin", 14, 12)
    assert "sealed" not in str(line)
    assert hashlib.sha256(b"sealed content").hexdigest() not in str(line)
