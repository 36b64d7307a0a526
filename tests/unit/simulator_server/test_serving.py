import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.server import (
    BodyLimit,
    Clock,
    Faults,
    Listener,
    Reader,
    control_routes,
    exception_handlers,
    in_background,
    read_object,
)


async def _echo(request: Request) -> Response:
    return JSONResponse(await read_object(request))


def _app(env: str, clock: Clock, faults: Faults) -> BodyLimit:
    routes = [Route("/echo", _echo, methods=["POST"]), *control_routes(env, clock, faults)]
    return BodyLimit(Starlette(routes=routes, exception_handlers=exception_handlers()))


def test_two_listeners_run_side_by_side() -> None:
    clock, faults = Clock(), Faults(down=bool)
    app = _app("test", clock, faults)

    with in_background([Listener(app, "127.0.0.1", 0), Listener(app, "127.0.0.1", 0)]) as (one, two):
        assert one != two
        assert httpx.get(one + "/healthz").status_code == 200
        assert httpx.get(two + "/readyz").json() == {"ready": True, "missing": []}


def test_the_clock_moves_under_test_only() -> None:
    clock, faults = Clock(), Faults()
    before = clock.now()

    with in_background([Listener(_app("test", clock, faults), "127.0.0.1", 0)]) as (base,):
        assert httpx.post(base + "/_test/clock", json={"offset_seconds": 3600}).status_code == 200
        assert httpx.post(base + "/_test/clock", json={"offset_seconds": "x"}).status_code == 400
    with in_background([Listener(_app("development", clock, faults), "127.0.0.1", 0)]) as (base,):
        assert httpx.post(base + "/_test/clock", json={"offset_seconds": 0}).status_code == 404

    assert 3600 <= (clock.now() - before).total_seconds() < 3700


def test_faults_are_checked_and_replaced_as_a_whole() -> None:
    faults = Faults(down=bool, slow_seconds=float)

    with in_background([Listener(_app("development", Clock(), faults), "127.0.0.1", 0)]) as (base,):
        assert httpx.put(base + "/_test/faults", json={"down": True, "slow_seconds": 1}).json() == {
            "down": True,
            "slow_seconds": 1.0,
        }
        refused = httpx.put(base + "/_test/faults", json={"down": "yes"})
        assert (refused.status_code, refused.json()["field"]) == (400, "down")
        assert httpx.put(base + "/_test/faults", json={"unheard_of": True}).status_code == 400
        assert faults.on("down")
        httpx.put(base + "/_test/faults", json={})
        assert not faults.on("down")


def test_production_has_no_test_controls() -> None:
    with in_background([Listener(_app("production", Clock(), Faults()), "127.0.0.1", 0)]) as (base,):
        assert httpx.put(base + "/_test/faults", json={}).status_code == 404


def test_bodies_that_are_wrong_or_too_long_are_refused() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    with in_background([Listener(_app("test", Clock(), Faults()), "127.0.0.1", 0)]) as (base,):
        assert httpx.post(base + "/echo", content=b"[1]").json()["code"] == "BAD_REQUEST"
        assert httpx.post(base + "/echo", content=b"\xff{").status_code == 400
        assert httpx.post(base + "/echo", content=b"[" * 100_000).status_code == 400
        assert httpx.post(base + "/echo", content=b" " * 1_000_001).status_code == 413
        assert httpx.post(base + "/echo", content=chunks()).status_code == 413
        assert httpx.post(base + "/echo", json={"a": 1}).json() == {"a": 1}
        assert httpx.get(base + "/nowhere").json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["his", "again"]])
def test_an_unknown_simulator_is_one_line_and_exit_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulators", *arguments], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_line_and_exit_1_and_sigterm_ends_cleanly() -> None:
    code = (
        "import sys\nfrom starlette.applications import Starlette\nfrom simulators.server import Listener, serve\n"
        "serve([Listener(Starlette(), '127.0.0.1', int(sys.argv[1]))], 'WARNING')"
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-c", code, str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        port = taken.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", code, str(port)], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                time.sleep(0.02)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"PORT": "many"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"ENV": "moon"}, "ENV"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
    ],
)
def test_a_malformed_setting_is_named(env: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named} "):
        Reader(env).common(port=1)
