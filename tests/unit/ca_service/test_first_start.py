import stat
import time
from pathlib import Path

import pytest

from simulators.ca.app import create_app, declared_faults
from simulators.ca.holders import load
from simulators.ca.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import call


def test_every_holder_has_a_certificate_within_a_second(environment: dict[str, str]) -> None:
    settings = read(Reader(environment))
    begun = time.process_time()

    create_app(settings, load(settings.world), Clock(), declared_faults())

    assert time.process_time() - begun < 1


def test_a_second_start_finds_everything_again(environment: dict[str, str]) -> None:
    settings = read(Reader(environment))
    seen = []
    for _ in range(2):
        app = create_app(settings, load(settings.world), Clock(), declared_faults())
        with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
            root = call(base, "GET", "/v1/root.pem").text
            seen.append((root, call(base, "GET", "/v1/holders/doctor-36").json()))

    assert seen[0] == seen[1]


def test_a_holder_who_became_another_person_gets_a_new_certificate(environment: dict[str, str]) -> None:
    settings = read(Reader(environment))
    seen = []
    for _ in range(2):
        app = create_app(settings, load(settings.world), Clock(), declared_faults())
        with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
            seen.append([call(base, "GET", f"/v1/holders/doctor-{one}").json()["serial"] for one in (1, 2)])
        text = settings.world.read_text(encoding="utf-8")
        settings.world.write_text(text.replace('演示医师1"', '演示医师甲"'), encoding="utf-8")

    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == seen[1][1]


def test_private_keys_are_for_their_owner_only(environment: dict[str, str]) -> None:
    settings = read(Reader(environment))
    create_app(settings, load(settings.world), Clock(), declared_faults())

    for name in ("root.key", "issuing.key", "tsa.key", "holders.sqlite3"):
        mode = stat.S_IMODE((Path(environment["CA_DATA"]) / name).stat().st_mode)
        assert mode == 0o600, name


@pytest.mark.parametrize("world", ["[", '[{"holder": "a b", "name": "x", "kind": "doctor", "pin": "1"}]'])
def test_a_world_that_cannot_be_read_is_named_in_one_line(
    environment: dict[str, str],
    world: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from simulators.ca.__main__ import main

    Path(environment["CA_WORLD"]).write_text(world, encoding="utf-8")
    for key, text in environment.items():
        monkeypatch.setenv(key, text)

    with pytest.raises(SystemExit) as ended:
        main()

    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(lines)) == (2, 1)
    assert lines[0].startswith("CA_WORLD ")
