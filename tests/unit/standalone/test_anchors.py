"""`make run` gives the backend the roots of its CA, and a backend that has none believes nobody."""

from pathlib import Path

import httpx
import pytest
from asn1crypto.pem import unarmor

from backend.settings import CaAlgorithm, Settings
from foundation.settings import SettingsError, load
from simulators.ca.app import create_app, declared_faults
from simulators.ca.settings import read
from simulators.server import Clock as SimulatorClock
from simulators.server import Listener, Reader, in_background
from standalone.installation import Installation, prepare
from standalone.processes import BY_NAME
from standalone.wiring import environment
from tests.builders.settings import settings

ELSEWHERE = {"CA_URL": "https://ca.example.org"}


def test_the_backend_is_given_the_very_roots_that_the_ca_shows(installation: Installation) -> None:
    given = load(Settings, environment(BY_NAME["api"], installation, "development", {}))
    reader = Reader(environment(BY_NAME["ca"], installation, "test", {}))

    app = create_app(read(reader), {}, SimulatorClock(), declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (url,):
        shown = [
            httpx.get(f"{url}/v1/{name}", trust_env=False).content for name in ("root.pem", "sm2/root.pem")
        ]

    assert given.ca_root is not None
    assert given.ca_sm2_root is not None
    held = [given.ca_root.read_bytes(), given.ca_sm2_root.read_bytes()]
    assert [unarmor(one)[2] for one in held] == [unarmor(one)[2] for one in shown]
    assert b"PRIVATE" not in b"".join(held)


def test_another_start_leaves_the_roots_as_they_are(installation: Installation) -> None:
    before = installation.ca.root.read_bytes(), installation.ca.sm2_root.read_bytes()

    again = prepare(installation.folder.root, 8000, installation.urls)

    assert (again.ca.root.read_bytes(), again.ca.sm2_root.read_bytes()) == before


def test_of_a_ca_elsewhere_the_simulators_roots_are_not_taken(installation: Installation) -> None:
    """Without its own root the backend does not start; with it, it does."""
    with pytest.raises(SettingsError, match="CA_ROOT is missing: CA_URL is not on this machine"):
        load(Settings, environment(BY_NAME["api"], installation, "development", ELSEWHERE))

    caller = ELSEWHERE | {"CA_ROOT": str(installation.ca.root)}
    given = load(Settings, environment(BY_NAME["api"], installation, "development", caller))

    assert (given.ca_root, given.ca_sm2_root) == (installation.ca.root, None)


def test_the_caller_chooses_the_algorithm(installation: Installation) -> None:
    given = load(
        Settings, environment(BY_NAME["worker"], installation, "development", {"CA_ALGORITHM": "sm2"})
    )

    assert given.ca_algorithm is CaAlgorithm.SM2


@pytest.mark.parametrize(("algorithm", "missing"), [("ecdsa", 1), ("sm2", 2)])
def test_production_refuses_to_run_without_a_root(tmp_path: Path, algorithm: str, missing: int) -> None:
    problems = settings(tmp_path, ca_algorithm=CaAlgorithm(algorithm)).production_problems()

    found = [one for one in problems if one.startswith(("CA_ROOT is missing", "CA_SM2_ROOT is missing"))]
    assert len(found) == missing


def test_a_root_that_is_no_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")

    with pytest.raises(SettingsError, match=r"CA_ROOT is malformed.*CA_SM2_ROOT is malformed"):
        settings(tmp_path, ca_root=tmp_path / "empty.pem", ca_sm2_root=tmp_path / "missing.pem")
