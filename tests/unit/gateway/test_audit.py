"""The audit file: whatever is done to it shows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.canonical import canonical
from foundation.clock import Clock
from front_gateway.__main__ import main
from front_gateway.audit_check import verify_day
from front_gateway.audit_file import AuditFile, AuditUnusable, _line


@pytest.fixture
def clock() -> Clock:
    return Clock()


def written(folder: Path, clock: Clock, lines: int = 3) -> Path:
    """A file with some lines, closed; its path."""
    audit = AuditFile(folder, "a", clock)
    for number in range(lines):
        audit.write({"request_id": f"r{number}", "code": "ok"})
    audit.close()
    return folder / f"audit-a-{clock.today()}.jsonl"


texts = st.text(max_size=30) | st.text(st.characters(max_codepoint=0x2100), max_size=30)


@given(st.integers(1, 2**53), st.dictionaries(texts, texts | st.integers(-(2**53), 2**53)))
def test_a_line_is_canonical_whatever_it_says(number: int, entry: dict[str, Any]) -> None:
    assert _line(number, entry) == canonical({"number": number, **entry})


def test_a_fresh_file_verifies(tmp_path: Path, clock: Clock) -> None:
    written(tmp_path, clock)

    verdict = verify_day(tmp_path, "a", clock.today())
    assert (verdict.problem, verdict.lines) == ("", 4)


def test_the_command_says_so_by_its_status(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, clock)
    arguments = ["verify", "--day", clock.today().isoformat(), "--folder", str(tmp_path), "--name", "a"]

    assert main(arguments) == 0
    file.write_bytes(file.read_bytes().replace(b"r1", b"rX"))
    assert main(arguments) == 1
    assert "the chain breaks at line number 3" in capsys.readouterr().out


@pytest.mark.parametrize("harm", ["edit", "delete", "swap", "insert", "cut-first", "garbage", "renumber"])
def test_harm_to_a_line_shows(tmp_path: Path, clock: Clock, harm: str) -> None:
    file = written(tmp_path, clock)
    lines = file.read_bytes().splitlines(keepends=True)
    if harm == "edit":
        lines[2] = lines[2].replace(b'"ok"', b'"no"')
    elif harm == "delete":
        del lines[2]
    elif harm == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    elif harm == "insert":
        lines.insert(2, lines[2])
    elif harm == "cut-first":
        del lines[0]
    elif harm == "garbage":
        lines[1] = b"not json\n"
    else:
        lines[3] = lines[3].replace(b'"number":4', b'"number":5')
    file.write_bytes(b"".join(lines))

    assert verify_day(tmp_path, "a", clock.today()).problem


def test_a_restart_continues_the_chain(tmp_path: Path, clock: Clock) -> None:
    written(tmp_path, clock)
    written(tmp_path, clock)

    verdict = verify_day(tmp_path, "a", clock.today())
    assert (verdict.problem, verdict.lines) == ("", 7)


def test_a_new_day_follows_the_old_file(tmp_path: Path, clock: Clock) -> None:
    audit = AuditFile(tmp_path, "a", clock)
    audit.write({"code": "ok"})
    yesterday = clock.today()
    clock.shift(timedelta(days=1))
    number = audit.write({"code": "ok"})
    audit.close()

    today = verify_day(tmp_path, "a", clock.today())
    assert (number, today.problem, today.lines) == (4, "", 2)

    old = tmp_path / f"audit-a-{yesterday}.jsonl"
    old.write_bytes(b"".join(old.read_bytes().splitlines(keepends=True)[:-1]))
    assert "does not follow the last line" in verify_day(tmp_path, "a", clock.today()).problem
    old.unlink()
    assert "is missing" in verify_day(tmp_path, "a", clock.today()).problem


def test_a_clock_that_is_set_back_does_not_break_the_chain(tmp_path: Path, clock: Clock) -> None:
    clock.shift(timedelta(days=1))
    audit = AuditFile(tmp_path, "a", clock)
    audit.write({"code": "ok"})
    later = clock.today()
    clock.shift(timedelta(0))
    audit.write({"code": "ok"})
    audit.close()

    verdict = verify_day(tmp_path, "a", later)
    assert (verdict.problem, verdict.lines) == ("", 3)
    assert len(list(tmp_path.glob("*.jsonl"))) == 1


def test_a_line_torn_by_a_power_cut_is_kept_aside(tmp_path: Path, clock: Clock) -> None:
    file = written(tmp_path, clock)
    with file.open("ab") as torn:
        torn.write(b'{"number":5,"ki')
    written(tmp_path, clock, lines=1)

    assert verify_day(tmp_path, "a", clock.today()).problem == ""
    assert (tmp_path / f"{file.name}.torn").read_bytes() == b'{"number":5,"ki\n'


def test_two_processes_may_not_write_one_file(tmp_path: Path, clock: Clock) -> None:
    first = AuditFile(tmp_path, "a", clock)

    with pytest.raises(AuditUnusable, match="another process"):
        AuditFile(tmp_path, "a", clock)
    first.close()
    AuditFile(tmp_path, "a", clock).close()


def test_a_line_is_canonical_json_with_its_head(tmp_path: Path, clock: Clock) -> None:
    file = written(tmp_path, clock, lines=1)

    opening, call = (msgspec.json.decode(line) for line in file.read_bytes().splitlines())
    assert opening["kind"] == "opened"
    assert (opening["follows"], opening["follows_head"]) == ("", "0" * 64)
    assert (call["number"], call["kind"], len(call["head"])) == (2, "call", 64)
