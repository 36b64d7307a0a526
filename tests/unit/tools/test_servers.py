from pathlib import Path

import pytest

from tools.servers import INSTALL, PLACES, main, missing, place


def test_what_is_absent_is_named_and_fails_only_where_nothing_may_be_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tmp_path) == 0
    assert main(["--all"], tmp_path) == 1

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert f"{INSTALL} nats-server softhsm2" in said[0]


def test_what_is_there_is_not_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in PLACES:
        file = place(package, tmp_path)
        file.parent.mkdir(parents=True)
        file.touch()

    assert missing(tmp_path) == []
    assert main(["--all"], tmp_path) == 0
    assert capsys.readouterr().err == ""
