"""What people wrote is masked like what fields say: notes, answers, reasons, conversations."""

import io
import json
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from simulators.supervision.console.masking import Words, words_about
from simulators.supervision.oversight.verify_bundle import check, summary
from tests.unit.supervision_platform.at_the_console import ORDER, SECOND, lines, send_a_visit, signed_in
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import WOMAN
from tests.unit.supervision_platform.tianjin_records import PATIENT

NAMED = f"患者王小丽（{PATIENT}，电话199 0000 0001）称小丽丈夫138-1234-5678可作证"
SECRETS = ("王小丽", "小丽", PATIENT, "199 0000 0001", "19900000001", "138-1234-5678")


@pytest.fixture
def first(shanghai: Platform) -> Iterator[httpx.Client]:
    send_a_visit(shanghai)
    with signed_in(shanghai) as client:
        yield client


def bundle_of(client: httpx.Client, path: str = "/visits/V-1/evidence", **words: str) -> dict[str, bytes]:
    data = client.post(path, data=ORDER | words).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def granted(client: httpx.Client, platform: Platform, **more: str) -> str:
    path = client.post("/visits/V-1/reveals", data=ORDER | more).url.path
    with signed_in(platform, SECOND) as second:
        second.post(f"{path}/decision", data={"decision": "grant", "note": f"同意查{WOMAN['patientName']}"})
    return path


def written_about(client: httpx.Client, running: Running) -> None:
    """A matter with a note, a question and the hospital's answer, all of which name the patient."""
    matter = client.post("/complaints/8").url.path
    client.post(f"{matter}/look", data={"note": NAMED})
    with running.database.writing() as connection:
        connection.execute(
            "INSERT INTO questions (id, matter_id, visit_no, login, name, authority, words, asked_at, answer_by, answer, "
            "answered_by, answered_at) VALUES ('q', 1, 'V-1', 'supervisor', '监管员', ?, ?, ?, ?, ?, '质控科', ?)",
            (
                "沪卫监12号",
                NAMED,
                *["2026-11-23T00:00:00.000Z"] * 2,
                f"答复：{NAMED}",
                "2026-11-23T01:00:00.000Z",
            ),
        )
    client.get("/records/1")
    client.post("/visits/V-1/reveals", data={"authority": "x", "reason": "x"})


@pytest.mark.parametrize("secret", SECRETS)
def test_pages_show_what_people_wrote_without_the_persons(
    first: httpx.Client, strict_platform: Running, shanghai: Platform, secret: str
) -> None:
    written_about(first, strict_platform)
    reveal = first.post("/visits/V-1/reveals", data=ORDER | {"reason": NAMED}).url.path

    for path in ("/matters/1", "/matters", "/trail", "/trail.json", "/reveals", reveal, "/complaints"):
        page = first.get(path)
        assert page.status_code == 200
        assert secret not in page.text.replace("supervisor", ""), path
    assert "王*" in first.get("/matters/1").text


def test_a_masked_bundle_is_masked_to_its_last_word_and_holds(
    first: httpx.Client, strict_platform: Running
) -> None:
    written_about(first, strict_platform)

    files = bundle_of(first, reason=NAMED)

    everything = b"".join(files.values()).decode()
    assert [one for one in SECRETS if one in everything] == []
    assert "答复：患者王*" in files["matters.json"].decode()
    assert check(files) == []
    assert "附脱敏文字 2 条" in "".join(summary(files))


def test_a_bundle_in_the_clear_has_every_word(
    first: httpx.Client, strict_platform: Running, shanghai: Platform
) -> None:
    written_about(first, strict_platform)

    files = bundle_of(first, f"{granted(first, shanghai, export='1')}/evidence")

    assert f"答复：{NAMED}" in files["matters.json"].decode()
    assert check(files) == []
    assert "附脱敏文字 0 条" in "".join(summary(files))


def test_a_bundle_has_the_words_of_every_line_about_its_visit(
    first: httpx.Client, strict_platform: Running
) -> None:
    written_about(first, strict_platform)
    first.get("/records/2")
    first.post("/reveals/1/decision", data={"decision": "grant"})

    told = json.loads(bundle_of(first)["trail.json"])["lines"]

    words = [(one.get("said") or one["shown"])["action"] for one in told if "said" in one or "shown" in one]
    for action in ("matter.take_up", "matter.look", "record.view", "reveal.refused", "evidence.export"):
        assert action in words, action


def test_the_entry_of_a_line_without_its_words_tells_nothing(first: httpx.Client) -> None:
    for _ in range(2):
        first.get("/visits/V-1")

    salts = [one["detail"]["salt"] for one in lines(first)]  # type: ignore[index]

    assert len(set(salts)) == len(salts) == 2
    assert all(len(str(one)) == 32 for one in salts)
    assert str(salts[0]) not in first.get("/trail").text


def test_a_reveal_opens_the_matters_words_too(
    first: httpx.Client, strict_platform: Running, shanghai: Platform
) -> None:
    written_about(first, strict_platform)

    shown = first.post(f"{granted(first, shanghai)}/look").text

    assert "办理中的原文" in shown
    assert f"答复：{NAMED}" in shown


def test_words_are_found_however_they_are_spaced_and_nothing_else_is() -> None:
    words = words_about([("uploadBooking", WOMAN | {"patientCertID": PATIENT})])

    assert (
        words.mask(f"王 小 丽 {PATIENT[:6]} {PATIENT[6:14]} {PATIENT[14:]}")
        == f"王* {PATIENT[:3]}*************{PATIENT[-2:]}"
    )
    assert words.mask("1980-01-01出生") == "****-**-**出生"
    assert (
        words.mask("老年科林医生开具氨氯地平片5mg，处方RX-1，收费25.80元")
        == "老年科林医生开具氨氯地平片5mg，处方RX-1，收费25.80元"
    )
    assert Words().mask("拨打13812345678") == "拨打138****5678"
