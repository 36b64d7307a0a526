"""How many API processes there are."""

from pathlib import Path

import pytest

from foundation.prefork import cores
from foundation.settings import Env, SettingsError
from tests.builders.settings import settings


def test_there_is_one_for_each_core_unless_a_number_is_given(tmp_path: Path) -> None:
    assert settings(tmp_path).api_count() == cores()
    assert settings(tmp_path, api_processes=3).api_count() == 3


def test_a_test_has_one_because_it_sets_each_clock_by_its_address(tmp_path: Path) -> None:
    assert settings(tmp_path, env=Env.TEST).api_count() == 1
    with pytest.raises(SettingsError, match="API_PROCESSES is malformed"):
        settings(tmp_path, env=Env.TEST, api_processes=2)


@pytest.mark.parametrize("number", [-1, 65])
def test_a_senseless_number_is_refused_by_name(tmp_path: Path, number: int) -> None:
    with pytest.raises(SettingsError, match="API_PROCESSES is malformed"):
        settings(tmp_path, api_processes=number)
