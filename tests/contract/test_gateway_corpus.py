"""The numbered corpus, and bytes that nobody thought of, against a running gateway: what is not plain reaches nobody."""

import contextlib
import re
import ssl
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.hospitals import Gateway, identity
from tests.contract.raw_calls import Said, connected
from tests.contract.started import wait_until
from tests.unit.gateway.background import Loop, OtherSide, serve

CORPUS = Path(__file__).parent / "samples" / "gateway" / "corpus.toml"
CASES: list[dict[str, Any]] = tomllib.loads(CORPUS.read_text(encoding="utf-8"))["case"]
BODY = b'{"sealed":"0123456789abcdef"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
LISTED = {"content-type", "accept", "host", "content-length"}
SILENCE = 0.3


@dataclass(frozen=True)
class Border:
    """A gateway, the platform behind it, and the adapter's certificate."""

    gateway: Gateway
    city: OtherSide
    tls: ssl.SSLContext

    @property
    def port(self) -> int:
        """The gateway's port."""
        return int(self.gateway.url.rsplit(":", 1)[1])

    def sends(self, raw: bytes, *, answers: int, silence: float = SILENCE) -> tuple[list[Said], bool]:
        """What it answers to these bytes, and whether it hung up."""
        with connected(self.port, self.tls) as connection:
            connection.send(raw)
            return connection.answers(answers, silence), connection.ended

    def judged(self) -> list[dict[str, Any]]:
        """Audit lines of calls that were let through, oldest first."""
        lines = [
            msgspec.json.decode(line)
            for file in self.gateway.audit.glob("*.jsonl")
            for line in file.read_bytes().splitlines()
        ]
        return [line for line in lines if line["kind"] == "call" and line["entry"] and line["code"] == "ok"]


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Border]:
    """A real gateway process before a platform that remembers what it saw, for all tests of this module together: nothing
    is cleared, because a call whose caller has left arrives when it arrives."""
    folder = tmp_path_factory.mktemp("corpus")
    loop, city, stack = Loop(), OtherSide(), contextlib.AsyncExitStack()
    city.on("*", b'{"code":200}')
    port = loop.run(serve(stack, city))
    nobody = hospitals.Hospital("nobody", "http://127.0.0.1:9", httpx.Client())
    with (
        nobody.fhir,
        hospitals.gateway_before(
            nobody, folder, certificates, CITY_URL=f"http://127.0.0.1:{port}"
        ) as gateway,
    ):
        yield Border(gateway, city, identity(certificates, "adapter"))
    loop.run(stack.aclose())
    loop.close()


def raw_of(text: str) -> bytes:
    """A case's bytes."""
    spelled = re.sub(r"\{([^{}]*)\*(\d+)\}", lambda found: found[1] * int(found[2]), text, flags=re.DOTALL)
    return spelled.encode("latin-1").replace(b"{BODY}", BODY).replace(b"{LENGTH}", LENGTH)


def test_the_corpus_is_numbered_for_good() -> None:
    assert [case["number"] for case in CASES] == list(range(1, len(CASES) + 1))
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['number']}-{case['name']}" for case in CASES])
def test_a_case_of_the_corpus(border: Border, case: dict[str, Any]) -> None:
    expect, times = case["expect"], case.get("times", 1)
    before = len(border.city.seen)
    wanted = {"passes": times, "part": times + 1}.get(expect, 2)
    said, _ = border.sends(raw_of(case["raw"]), answers=wanted, silence=SILENCE if expect == "waits" else 5)

    passed = times if expect in ("passes", "part") else 0
    assert [one.status for one in said[:passed]] == [200] * passed
    assert len(said) == passed + (expect in ("refused", "part"))
    if expect in ("refused", "part"):
        assert said[-1].is_problem
        assert 400 <= said[-1].status < 500
        assert said[-1].headers["connection"] == "close"
        assert msgspec.json.decode(said[-1].body)["request_id"]
    assert [(one.method, one.target, one.body) for one in border.city.seen[before:]] == [
        ("POST", "/openapi/api", BODY)
    ] * passed
    for one in border.city.seen[before:]:
        assert {name for name in one.headers if not name.startswith(("x-ca-", "x-service-"))} <= LISTED


HONEST = b"POST /openapi/api HTTP/1.1\r\nHost: g\r\n" + LENGTH + b"\r\n" + BODY
PIECES = (
    b"POST ", b"GET ", b"/openapi/api", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"Host: g\r\n", LENGTH, b"Content-Length: 0\r\n",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"X-Ca-Key: a\r\n", b"\r\n", b"\n", b"\r",
    b"\x00", b" ", b"\t", b":", b"0\r\n\r\n", b"3\r\nabc\r\n", b"..", b"%2e", b"//", b"?", b"a=b", BODY, HONEST, b"\xff",
)  # fmt: skip
mutations = st.tuples(
    st.integers(0, len(HONEST)), st.integers(0, 4), st.sampled_from(PIECES) | st.binary(max_size=3)
)


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    """Honest calls with pieces cut out and put in, pieces in any order, or just bytes."""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(st.binary(min_size=1, max_size=400))
    if kind == 1:
        return b"".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14)))
    raw = HONEST * draw(st.integers(1, 2))
    for at, cut, put in draw(st.lists(mutations, max_size=3)):
        raw = raw[:at] + put + raw[at + cut :]
    return raw


@settings(
    max_examples=120, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(raw=calls())
def test_whatever_comes_is_answered_in_form_and_forwarded_as_it_was_judged(
    border: Border, raw: bytes
) -> None:
    said, _ = border.sends(raw, answers=8, silence=0.04)  # asserts that each answer is well formed

    wait_until(lambda: len(border.judged()) == len(border.city.seen), "as many forwarded as let through", 5)
    judged = [(line["method"], line["path"], line["bytes_in"]) for line in border.judged()]
    assert Counter((one.method, one.target, len(one.body)) for one in border.city.seen) == Counter(judged)
    assert {(method, path) for method, path, _ in judged} <= {("POST", "/openapi/api")}
    for one in border.city.seen[-20:]:
        assert {name for name in one.headers if not name.startswith(("x-ca-", "x-service-"))} <= LISTED
        assert not set("".join(one.headers.values())) & set("\r\n\0")
        assert int(one.headers["content-length"]) == len(one.body)
    assert sum(answer.status == 200 for answer in said) <= len(judged)
    assert border.gateway.process.poll() is None


@given(cuts=st.lists(st.integers(1, len(HONEST) * 2 - 1), max_size=6).map(sorted))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_honest_calls_are_two_wherever_the_bytes_are_cut(border: Border, cuts: list[int]) -> None:
    before = len(border.city.seen)
    raw = HONEST * 2

    with connected(border.port, border.tls) as connection:
        for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            connection.send(raw[begin:end])
        said = connection.answers(2, 5)

    assert [one.status for one in said] == [200, 200]
    assert [one.body for one in border.city.seen[before:]] == [BODY, BODY]
