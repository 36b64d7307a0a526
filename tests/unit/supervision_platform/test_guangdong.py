"""The platform's third interface: rows judged one by one, headers signed by the hospital's own key."""

import copy
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmssl_pyx
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.server import Reader
from simulators.supervision.console.masking import mask_record
from simulators.supervision.console.wording import details, line
from simulators.supervision.settings import read
from tests.contract.platforms import SAMPLES_BY_TABLE
from tests.unit.supervision_platform import certificates, sender
from tests.unit.supervision_platform.at_the_console import figures, signed_in, total
from tests.unit.supervision_platform.conftest import Running, environment_in, start
from tests.unit.supervision_platform.shanghai_records import Hospital as Shanghai

SERVICE, PATH = "gd.provinceDataUploadService", "/guangdong/api"
Sign = Callable[[bytes], bytes]


class Hospital:
    """A sender with a key of one kind, written from the interface's description."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        if kind == "SM2-SM3":
            public, private = gmssl_pyx.sm2_key_generate()
            self.point = b"\x04" + public
            self.sign: Sign = lambda text: gmssl_pyx.sm2_sign(private, public, text)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            self.point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self.sign = lambda text: key.sign(text, ec.ECDSA(SHA256()))

    def send(self, running: Running, table: str, rows: Any, **changes: str) -> dict[str, Any]:
        """The platform's answer; `changes` are made to headers after signing."""
        body = sender.encrypt(json.dumps(rows, ensure_ascii=False).encode())
        values = {
            "x-ca-key": sender.KEY, "x-ca-nonce": str(uuid.uuid4()), "x-ca-timestamp": str(int(time.time() * 1000)),
            "x-content-md5": sender.sm3(body), "x-service-id": SERVICE, "x-service-method": table,
        }  # fmt: skip
        text = "&".join(f"{name}:{values[name]}" for name in sorted(values))
        r, s = decode_dss_signature(self.sign(text.encode()))
        signed = {
            "x-ca-signature-method": self.kind,
            "x-ca-signature": (r.to_bytes(32) + s.to_bytes(32)).hex(),
        }
        platform = running.platform
        headers = values | signed | changes | {"content-type": "application/json"}
        answer = platform.client.post(platform.base + PATH, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rows(self, running: Running, table: str, rows: list[Any]) -> list[dict[str, Any]]:
        """What was said of each row."""
        answer = self.send(running, table, rows)
        assert answer["code"] == 200, answer
        return list(answer["body"]["rows"])


@pytest.fixture(scope="module", params=["SM2-SM3", "ECDSA-P256-SHA256"])
def hospital(request: pytest.FixtureRequest) -> Hospital:
    return Hospital(request.param)


@pytest.fixture(scope="module")
def started(
    hospital: Hospital, tmp_path_factory: pytest.TempPathFactory, tls: certificates.Files
) -> Iterator[Running]:
    environment = environment_in(tmp_path_factory.mktemp("guangdong"), tls)
    yield from start(read(Reader(environment | {"SUPERVISION_SIGNING_PUBLIC": hospital.point.hex()})))


@pytest.fixture
def running(started: Running) -> Running:
    started.emptied()
    return started


def sample(table: str, name: str) -> dict[str, Any]:
    """A row as the written samples have it, of this test's hospital."""
    [file] = (SAMPLES_BY_TABLE / table).glob(f"*-{name}-request.json")
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["record"]
    return row | {"jgdm": sender.ORGAN, "fwwddm": sender.UNIT}


def drug(at: int = 1) -> dict[str, Any]:
    return sample("bb_pi_drug", "drug_catalogue-changed") | {"ypdm": f"YP{at:03d}", "sjbs": f"event-{at}:YP"}


ALL = sorted(SAMPLES_BY_TABLE.glob("*/*-request.json"))


@pytest.mark.parametrize("file", ALL, ids=lambda path: f"{path.parent.name}/{path.name[:-13]}")
def test_every_sample_is_stored_once_what_it_needs_is_there(
    running: Running, hospital: Hospital, file: Path
) -> None:
    name = file.name.split("-", 1)[1].removesuffix("-request.json")
    row = sample(file.parent.name, name)
    if "ypdm" in row and file.parent.name != "bb_pi_drug":
        hospital.rows(running, "bb_pi_drug", [drug() | {"ypdm": row["ypdm"]}])
    if "jzlsh" in row and file.parent.name not in ("bb_pi_treatment", "bb_pi_appointment"):
        visit = sample("bb_pi_treatment", "encounter-started") | {"jzlsh": row["jzlsh"]}
        hospital.rows(running, "bb_pi_treatment", [visit])

    [said] = hospital.rows(running, file.parent.name, [row])

    assert (said["status"], said["duplicate"]) == (1, False), said
    assert said["receipt"].startswith("GD")


@pytest.mark.parametrize("file", ALL, ids=lambda path: f"{path.parent.name}/{path.name[:-13]}")
def test_persons_are_masked_where_a_supervisor_reads_their_rows(file: Path) -> None:
    row = json.loads(file.read_text(encoding="utf-8"))["record"]
    secrets = {
        row.get(name) for name in ("hzxm", "jhrxm", "zjhm", "jhrzjhm", "yssfzh", "rysfzh", "lxdh", "csrq")
    } - {None}
    method = file.parent.name

    shown = (
        json.dumps(mask_record(method, row), ensure_ascii=False)
        + line(method, row)
        + str(details(method, row))
    )

    assert not [secret for secret in secrets if secret in shown]


def test_a_visit_of_this_family_has_a_head_and_a_page(running: Running, hospital: Hospital) -> None:
    visit = sample("bb_pi_treatment", "encounter-completed")
    hospital.rows(running, "bb_pi_treatment", [visit])

    with signed_in(running.platform) as browser:
        page = browser.get(f"/visits/{visit['jzlsh']}").text

    assert visit["hzxm"][:1] + "*" in page
    assert visit["hzxm"] not in page
    assert visit["ysxm"] in page


def test_a_bad_row_says_nothing_about_its_neighbours(running: Running, hospital: Hospital) -> None:
    bad = drug(2)
    del bad["ypmc"]
    bad["ypfl"] = ""

    said = hospital.rows(running, "bb_pi_drug", [drug(1), bad, drug(3)])

    assert [one["status"] for one in said] == [1, 2, 1]
    assert (said[1]["msgCode"], said[1]["msg"], said[1]["index"]) == (-99, "ypmc|ypfl", 1)
    assert running.platform.summary()["profiles"]["guangdong"]["bb_pi_drug"]["accepted"] == 2


def test_the_same_row_again_has_its_first_receipt(running: Running, hospital: Hospital) -> None:
    first = hospital.rows(running, "bb_pi_drug", [drug()])[0]
    again = hospital.rows(running, "bb_pi_drug", [drug()])[0]

    assert again["receipt"] == first["receipt"]
    assert again["duplicate"] is True
    assert len(running.platform.stored(method="bb_pi_drug")) == 1


@pytest.mark.parametrize(
    ("table", "name", "change", "words"),
    [
        ("bb_pi_appointment", "appointment-booked", {"cxbz": "1"}, "cxbz与yyzt不一致"),
        ("bb_pi_appointment", "appointment-booked", {"xyz": "1"}, "xyz未定义的字段"),
        ("bb_pi_appointment", "appointment-booked", {"jgdm": "another"}, "jgdm与接入机构不一致"),
        ("bb_pi_appointment", "appointment-booked", {"zjhm": "310114197003150021"}, "居民身份证号码校验不通过"),
        ("bb_pi_appointment", "appointment-booked", {"xbdm": "7"}, "不在代码表中"),
        ("bb_pi_diagnosis", "encounter-completed", {}, "jzlsh对应的诊疗记录尚未上报"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused_in_words(
    running: Running, hospital: Hospital, table: str, name: str, change: dict[str, str], words: str
) -> None:
    [said] = hospital.rows(running, table, [sample(table, name) | change])

    assert (said["status"], said["msgCode"]) == (2, -1)
    assert words in said["msg"]


def test_a_prescription_approved_row_by_row_is_not_called_unreviewed(
    running: Running, hospital: Hospital
) -> None:
    """Its payment is told at another interface, before and after the approval."""
    row = sample("bb_pi_prescription_detail", "prescription-approved")
    shanghai = replace(running.platform, path="/shanghai/api")
    school = Shanghai()
    first = school.paid() | {"subject": "2", "subjectNo": row["cfbs"]}
    assert shanghai.result("uploadPayment", [first]) == (200, "操作成功")
    before = running.platform.alerts()

    hospital.rows(running, "bb_pi_drug", [drug() | {"ypdm": row["ypdm"]}])
    visit = sample("bb_pi_treatment", "encounter-started") | {"jzlsh": row["jzlsh"]}
    hospital.rows(running, "bb_pi_treatment", [visit])
    [said] = hospital.rows(running, "bb_pi_prescription_detail", [row])
    again = school.paid() | {"subject": "2", "subjectNo": row["cfbs"]}
    assert shanghai.result("uploadPayment", [again]) == (200, "操作成功")

    assert said["status"] == 1
    assert "unreviewed" in before
    assert "unreviewed" not in running.platform.alerts()


def test_nobody_reviews_her_own_prescription(running: Running, hospital: Hospital) -> None:
    row = sample("bb_pi_prescription_detail", "prescription-approved")
    row["cfshyjsdm"] = row["ysdm"]

    [said] = hospital.rows(running, "bb_pi_prescription_detail", [row])

    assert said["msg"].startswith("cfshyjsdm")


@pytest.mark.parametrize("missing", ["cfshyjs", "cftpyjs", "cfhdyjs", "cffyyjs"])
def test_a_line_given_out_without_one_of_the_four_is_refused_by_name(
    running: Running, hospital: Hospital, missing: str
) -> None:
    row = copy.deepcopy(sample("bb_pi_prescription_detail", "dispense-completed"))
    for part in ("dm", "xm", "qm", "sj"):
        del row[missing + part]

    [said] = hospital.rows(running, "bb_pi_prescription_detail", [row])

    assert (said["msgCode"], said["msg"]) == (
        -99,
        "|".join(f"{missing}{part}" for part in ("dm", "xm", "qm", "sj")),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"x-ca-signature": "00" * 64}, {"x-ca-signature": "zz"}, {"x-ca-signature-method": "RSA"},
        {"x-ca-signature-method": ""}, {"x-service-method": "bb_pi_staff"}, {"x-ca-nonce": "another"},
    ],
)  # fmt: skip
def test_a_signature_that_is_not_the_hospitals_is_refused(
    running: Running, hospital: Hospital, changes: dict[str, str]
) -> None:
    assert hospital.send(running, "bb_pi_drug", [drug()], **changes)["code"] == 40010


def test_the_digest_that_tianjin_takes_is_no_signature_here(running: Running, hospital: Hospital) -> None:
    body = sender.encrypt(json.dumps([drug()]).encode())
    headers = sender.signed(SERVICE, "bb_pi_drug", body) | {"x-ca-signature-method": hospital.kind}

    answer = running.platform.client.post(running.platform.base + PATH, content=body, headers=headers)

    assert answer.json()["code"] == 40010


def test_a_hospital_without_a_registered_key_has_no_right(
    strict_platform: Running, hospital: Hospital
) -> None:
    assert hospital.send(strict_platform, "bb_pi_drug", [drug()])["code"] == 40006


def test_the_board_counts_what_is_told_row_by_row(running: Running, hospital: Hospital) -> None:
    started, ended = (sample("bb_pi_treatment", f"encounter-{name}") for name in ("started", "completed"))
    line = sample("bb_pi_prescription_detail", "prescription-approved") | {"jzlsh": started["jzlsh"]}
    hospital.rows(running, "bb_pi_staff", [sample("bb_pi_staff", "practitioner-changed")])
    hospital.rows(running, "bb_pi_drug", [drug() | {"ypdm": line["ypdm"]}])
    hospital.rows(running, "bb_pi_appointment", [sample("bb_pi_appointment", "appointment-booked")])
    hospital.rows(running, "bb_pi_treatment", [started])
    second = {"cfmxbs": f"{line['cfbs']}-2", "sjbs": "event-2:line-2", "mxxh": 2}
    hospital.rows(running, "bb_pi_prescription_detail", [line, line | second])
    days = {"from": "2020-01-01", "to": "2039-12-31"}

    with signed_in(running.platform) as browser:
        board = figures(browser.get("/", params=days).text)
        people = figures(browser.get("/concerns", params=days).text)
        during = browser.get("/live.json").json()["figures"]["live"]["value"]
        hospital.rows(running, "bb_pi_treatment", [ended | {"jzlsh": started["jzlsh"]}])
        after = browser.get("/live.json").json()["figures"]["live"]["value"]

        shown = {name: board[name] for name in ("预约", "接诊", "处方开具")} | {
            name: people[name] for name in ("审核通过", "备案人员", "在岗", "备案变更")
        }
        numbers = {name: re.findall(r"^\d+", value) for name, (value, _) in shown.items()}
        assert numbers == {name: ["1"] for name in shown}
        assert [total(browser.get(address).text) for _, address in shown.values()] == [1] * len(shown)
        assert (during, after) == ("1", "0")


def replayed(browser: httpx.Client, visit: str) -> list[dict[str, str]]:
    """The panels after each step."""
    first = browser.get(f"/visits/{visit}/replay", params={"step": "1"}).text
    steps = re.search(r"第 1 步，共 (\d+) 步", first)
    assert steps is not None
    found = []
    for step in range(1, int(steps[1]) + 1):
        text = browser.get(f"/visits/{visit}/replay", params={"step": str(step)}).text
        shown = text.split('class="facts states"')[1].split("</dl>")[0]
        found.append(dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+?)\s*<", shown)))
    return found


def test_a_visit_told_row_by_row_is_replayed(running: Running, hospital: Hospital) -> None:
    started = sample("bb_pi_treatment", "encounter-started")
    visit, minutes = {"jzlsh": started["jzlsh"]}, iter(range(60))

    def at() -> dict[str, str]:
        return visit | {"sjscsj": f"2026-11-20 09:{next(minutes):02d}:00"}

    line = sample("bb_pi_prescription_detail", "prescription-approved") | at()
    hospital.rows(running, "bb_pi_drug", [drug() | {"ypdm": line["ypdm"]}])
    hospital.rows(
        running,
        "bb_pi_person",
        [sample("bb_pi_person", "identity-verified") | {"sjscsj": "2026-11-20 08:00:00"}],
    )
    for table, name in (
        ("bb_pi_appointment", "appointment-booked"), ("bb_pi_appointment", "appointment-moved"),
        ("bb_pi_treatment", "encounter-started"), ("bb_pi_medical_record", "record-signed"),
        ("bb_pi_prescription_detail", "prescription-approved"), ("bb_pi_treatment", "encounter-completed"),
        ("bb_pi_prescription_detail", "dispense-completed"), ("bb_pi_evaluation", "evaluation-submitted"),
        ("bb_pi_adverse_event", "adverse_event-reported"),
    ):  # fmt: skip
        [said] = hospital.rows(running, table, [sample(table, name) | at()])
        assert said["status"] == 1, said

    with signed_in(running.platform) as browser:
        panels = replayed(browser, visit["jzlsh"])

    assert [one["实名"] for one in panels] == ["已通过"] * 10
    assert [one["预约"] for one in panels] == ["未见", "已预约", *["已改约"] * 8]
    assert [one["问诊"] for one in panels] == [*["未开始"] * 3, *["问诊中"] * 3, *["已完成"] * 4]
    assert [one["病历"] for one in panels] == [*["未写"] * 4, *["已签名"] * 6]
    assert [one["处方"] for one in panels] == [*["未开"] * 5, *["审核通过"] * 5]
    assert [one["药品"] for one in panels] == [*["未发药"] * 7, *["已发出"] * 3]
    assert [one["评价与投诉"] for one in panels] == [*["无"] * 8, "已评价", "有不良事件"]


def test_the_filter_knows_what_is_told_row_by_row(running: Running, hospital: Hospital) -> None:
    booked = sample("bb_pi_appointment", "appointment-booked")
    other = {
        "jzlsh": "V-2",
        "sjbs": "event-2",
        "ksdm": "PFK",
        "ksmc": "皮肤科",
        "ysdm": "D0002",
        "ysxm": "黄晓岚",
    }
    hospital.rows(running, "bb_pi_appointment", [booked, booked | other])
    hospital.rows(running, "bb_pi_staff", [sample("bb_pi_staff", "practitioner-changed")])
    days = {"from": "2020-01-01", "to": "2039-12-31"}

    with signed_in(running.platform) as browser:
        page = browser.get("/records").text
        narrowed = [
            total(browser.get("/records", params=days | scope).text)
            for scope in ({"dept": "PFK"}, {"doctor": booked["ysdm"]}, {"hospital": sender.ORGAN}, {"hospital": "no"})
        ]  # fmt: skip

    assert f'<option value="{booked["ksdm"]}">{booked["ksmc"]}</option>' in page
    assert '<option value="D0002">黄晓岚 · 皮肤科</option>' in page
    assert narrowed == [1, 2, 3, 0]
