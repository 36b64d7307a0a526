"""The profile of a hospital: laid over the shipped one, and every mistake in it told at once."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from front_gateway.dialects.soap.hospital_profile import CODES, DEFAULT, ProfileError, read_profile

ROOT = Path(__file__).parents[3]


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "soap.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        read_profile(file)
    return caught.value.mistakes


def test_the_shipped_profile_is_whole() -> None:
    profile = read_profile(None)

    assert profile.name("visits", "since") == "BeginTime"
    assert profile.name("slots", "since") == "BeginDate"
    assert profile.meaning("sex", "3") == "unknown"
    assert profile.meaning("visit_status", "7") is None
    assert profile.code("charge_kind", "refund") == "09"
    assert set(profile.codes) == set(CODES)


def test_a_hospitals_file_names_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "soap.toml"
    file.write_text(
        '[names]\npatient_no = "病历号"\n[codes.sex]\nM = "male"\nF = "female"\n[interfaces]\nreports = ""\n',
        encoding="utf-8",
    )

    profile = read_profile(file)

    assert (profile.name("visits", "patient_no"), profile.name("visits", "visit_no")) == ("病历号", "VisitNo")
    assert profile.codes["sex"] == {"M": "male", "F": "female"}  # whole: 1 and 2 are no codes of theirs
    assert profile.interfaces["reports"] == ""


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """
        surplus = 1
        [wire]
        charset = "latin-1"
        path = "services x"
        method = "2nd"
        cdata = "yes"
        soap = 1
        [frame]
        rows_per_page = 0
        rows = "Body//Row"
        [results]
        nothing = []
        refused = ["0"]
        [interfaces]
        allergies = ""
        visits = "1001"
        telepathy = "1"
        [formats]
        day = "%Y-%m"
        money = "dollar"
        [names]
        patient_no = "<PatientNo>"
        colour = "Colour"
        [names_of.visits]
        since = ""
        [names_of.nowhere]
        since = "x"
        [codes.sex]
        1 = "man"
        [codes.certainty]
        1 = "confirmed"
        [codes.mood]
        1 = "good"
        """,
    )

    for said in (
        "unknown table 'surplus'", "wire.cdata: expected `bool`, got `str`", "wire.soap: unknown", "frame.rows: 'Body//Row' is no path",
        "frame.rows_per_page: 1 to 1000", "results.nothing: needed", "results.refused: '0' is done already",
        "interfaces.allergies: needed", "interfaces.visits: '1001' is that of find_by_card", "interfaces.telepathy: unknown",
        "formats.day: '%Y-%m' does not tell one day from another", "formats.money: 'dollar'", "names.patient_no: '<PatientNo>' is no path",
        "names.colour: unknown", "names_of.visits.since: '' is no path", "names_of.nowhere: no such interface",
        "codes.sex.1: 'man' is none of", "codes.certainty: no code for suspected", "codes.mood: no such list",
    ):  # fmt: skip
        assert any(one.startswith(said) for one in found), (said, found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[wire]\ncharset = "latin-1"', "wire.charset: 'latin-1' is none of"),
        ('[wire]\npath = "services x"', "wire.path: 'services x' is no path"),
        ('[wire]\nmethod = "2nd"', "wire.method: '2nd' is no element"),
        ('[wire]\nnamespace = ""', "wire.namespace: '' is no address"),
        ('[wire]\nsoap_action = "a\\"b"', "wire.soap_action: 'a\"b' is no address"),
        ('[frame]\npage_size = ""', "frame.page_size: needed where there are pages"),
        (
            '[formats]\nmoment = "%Y-%m-%d"',
            "formats.moment: '%Y-%m-%d' does not tell one moment from another",
        ),
        ("wire = 3", "wire: expected a table"),
        ("[wire", "no TOML"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, said: str) -> None:
    assert any(one.startswith(said) for one in mistakes(tmp_path, text))


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        read_profile(tmp_path / "none.toml")


def test_every_name_of_the_shipped_profile_is_used() -> None:
    """A word that no reader and no writer asks for would be filled in by a hospital for nothing."""
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in DEFAULT.parent.glob("*.py")
        if file.name != "hospital_profile.py"
    )

    words = tomllib.loads(DEFAULT.read_text("utf-8"))["names"]
    unused = [word for word in words if not re.search(rf"['\"]{word}['\"]", code)]

    assert unused == []


def test_a_gateway_with_a_wrong_profile_ends_with_2_and_says_all(tmp_path: Path) -> None:
    pem, profile = tmp_path / "some.pem", tmp_path / "soap.toml"
    pem.write_text("", encoding="ascii")
    profile.write_text('[formats]\nmoney = "dollar"\n[wire]\ncharset = "x"\n', encoding="utf-8")
    files = dict.fromkeys(("SERVER_CERT", "SERVER_KEY", "CLIENT_ROOT"), str(pem))
    env = {
        **files, "HIS_URL": "http://127.0.0.1:9", "CITY_URL": "http://127.0.0.1:9", "AUDIT_FOLDER": str(tmp_path),
        "HIS_DIALECT": "soap", "HIS_SYSTEMS": str(profile), "PYTHONPATH": str(ROOT),
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-m", "front_gateway"],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "wire.charset" in ended.stderr
    assert "formats.money" in ended.stderr
    assert ended.stderr.count("\n") == 1
