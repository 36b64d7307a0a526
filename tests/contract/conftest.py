"""Hospitals and gateways are started once a session, only when a test asks for them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from standalone.certificates import Certificates, ensure
from standalone.paths import DataFolder
from tests.contract import hospitals
from tests.contract.hospitals import Gateway, Hospital
from tests.contract.soap_hospital import soap


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Both roots and every process's certificate."""
    return ensure(DataFolder(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="session", params=["simulator", "sekmet", "soap"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Gateway]:
    """A gateway before each of the hospitals in turn."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        hospital: Hospital
        if request.param == "sekmet":
            hospital = stack.enter_context(hospitals.sekmet(folder))
        elif request.param == "soap":
            hospital = stack.enter_context(soap(folder, certificates))
        else:
            hospital = stack.enter_context(hospitals.simulator(folder, certificates))
        yield stack.enter_context(hospitals.gateway_before(hospital, folder, certificates))
