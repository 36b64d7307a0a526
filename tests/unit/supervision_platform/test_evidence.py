"""An evidence bundle proves itself on a machine that has Python and nothing of ours."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.supervision.oversight.verify_bundle import check, signed
from tests.unit.supervision_platform.at_the_console import (
    ORDER,
    SECOND,
    figures,
    lines,
    send_a_visit,
    signed_in,
)
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital
from tests.unit.supervision_platform.tianjin_records import PATIENT

Files = dict[str, bytes]


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    send_a_visit(shanghai)
    with signed_in(shanghai) as client:
        yield client


def exported(browser: httpx.Client, **more: str) -> httpx.Response:
    answer = browser.post("/visits/V-1/evidence", data=ORDER | more)
    assert answer.headers["content-type"] == "application/zip", answer.text
    return answer


def granted(browser: httpx.Client, shanghai: Platform, **more: str) -> str:
    """A reveal that is open: its path."""
    reveal = browser.post("/visits/V-1/reveals", data=ORDER | more).url.path
    with signed_in(shanghai, SECOND) as second:
        second.post(f"{reveal}/decision", data={"decision": "grant"})
    return reveal


def exported_in_the_clear(browser: httpx.Client, shanghai: Platform) -> bytes:
    answer = browser.post(f"{granted(browser, shanghai, export='1')}/evidence")
    assert answer.headers["content-type"] == "application/zip", answer.text
    return answer.content


def unpacked(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def verified(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With nothing but the standard library: isolated, without site packages."""
    command = [sys.executable, "-I", "-S", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_a_bundle_verifies_offline_from_its_own_folder(browser: httpx.Client, tmp_path: Path) -> None:
    answer = exported(browser)
    for name, data in unpacked(answer.content).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    pins = ["--key", answer.headers["x-public-key"], "--manifest", answer.headers["x-manifest-sha256"]]
    done = verified(tmp_path, "verify.py", *pins)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "结论：通过" in done.stdout
    assert answer.headers["x-public-key"] in browser.get("/trail").text


def test_a_zip_verifies_as_it_is(browser: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(exported(browser).content)
    (tmp_path / "verify.py").write_bytes(unpacked((tmp_path / "bundle.zip").read_bytes())["verify.py"])

    assert verified(tmp_path, "verify.py", "bundle.zip").returncode == 0


def test_it_holds_records_receipts_chain_and_trail_with_persons_masked(
    browser: httpx.Client, shanghai: Platform
) -> None:
    files = unpacked(exported(browser).content)

    receipts = {one["receipt"] for one in json.loads(files["receipts.json"])}
    assert receipts == {row["receipt"] for row in shanghai.stored()}
    assert [link["number"] for link in json.loads(files["chain.json"])] == list(range(1, 9))
    assert json.loads(files["trail.json"])["lines"][-1]["said"]["action"] == "evidence.export"
    everything = b"".join(files.values()).decode()
    assert "王小丽" not in everything
    assert PATIENT not in everything


def test_the_trail_keeps_the_check_code(browser: httpx.Client) -> None:
    answer = exported(browser)

    last = browser.get("/trail.json").json()["lines"][0]

    assert last["action"] == "evidence.made"
    assert last["detail"]["manifest_sha256"] == answer.headers["x-manifest-sha256"]
    files = unpacked(answer.content)
    assert hashlib.sha256(files["manifest.json"]).hexdigest() == answer.headers["x-manifest-sha256"]


def test_the_clear_text_is_there_under_an_open_reveal_only(browser: httpx.Client, shanghai: Platform) -> None:
    masked = unpacked(exported(browser, clear="1").content)
    clear = unpacked(exported_in_the_clear(browser, shanghai))

    assert "王小丽".encode() not in b"".join(masked.values())
    assert "王小丽".encode() in b"".join(clear.values())
    assert json.loads(masked["manifest.json"])["masked"]
    assert check(clear) == []
    commitments = [
        {one["body_commitment"] for one in json.loads(files["receipts.json"])} for files in (masked, clear)
    ]
    assert commitments[0] == commitments[1]
    assert b'"salt"' not in b"".join(masked[name] for name in masked if name.startswith("records/"))


def test_who_may_look_may_not_therefore_export(browser: httpx.Client, shanghai: Platform) -> None:
    reveal = granted(browser, shanghai)

    refused = browser.post(f"{reveal}/evidence")

    assert refused.status_code == 403
    assert "没有包含导出" in refused.text
    assert "导出未脱敏的证据包</button>" not in browser.get("/visits/V-1").text
    assert lines(browser)[-2]["action"] == "reveal.export_refused"
    assert "王小丽".encode() not in b"".join(unpacked(exported(browser).content).values())


def test_an_export_is_asked_for_with_the_look_and_shown_to_whoever_decides(
    browser: httpx.Client, shanghai: Platform
) -> None:
    looked_only = browser.post("/visits/V-1/reveals", data=ORDER).url.path
    reveal = browser.post("/visits/V-1/reveals", data=ORDER | {"export": "1"}).url.path

    with signed_in(shanghai, SECOND) as second:
        pages = [second.get(path).text for path in (looked_only, reveal)]

    assert looked_only != reveal
    assert ["导出未脱敏的证据包（全部记录原文）" in page for page in pages] == [False, True]
    assert browser.post("/visits/V-1/reveals", data=ORDER).url.path == reveal  # it asks for as much


def test_an_export_in_the_clear_rests_on_its_reveal_and_is_counted(
    browser: httpx.Client, shanghai: Platform
) -> None:
    reveal = granted(browser, shanghai, export="1")
    number = int(reveal.rsplit("/", 1)[1])

    manifest = json.loads(unpacked(browser.post(f"{reveal}/evidence").content)["manifest.json"])

    assert not manifest["masked"]
    assert (manifest["reveal"]["id"], manifest["reveal"]["asked_by"]) == (number, "supervisor")
    assert manifest["reveal"]["granted_by"] == "supervisor2"
    assert manifest["authority"] == ORDER["authority"]
    deed = next(one for one in lines(browser) if one["action"] == "reveal.export")
    assert deed["detail"]["reveal"] == str(number)  # type: ignore[index]
    browser.post(f"{reveal}/look")
    value, href = figures(browser.get("/concerns").text)["未脱敏查看"]
    assert value == "2次"
    assert browser.get(href).text.count("<strong>") == 2
    assert "导出未脱敏的证据包" in browser.get(reveal).text


def test_an_export_is_over_with_its_reveal(browser: httpx.Client, shanghai: Platform) -> None:
    reveal = granted(browser, shanghai, export="1")

    shanghai.move_clock(15 * 60 + 1)

    assert browser.post(f"{reveal}/evidence").status_code == 403
    shanghai.move_clock(0)
    with signed_in(shanghai, SECOND) as second:
        assert second.post(f"{reveal}/evidence").status_code == 403


def test_a_text_that_is_not_the_one_committed_to_is_named(browser: httpx.Client, shanghai: Platform) -> None:
    files = unpacked(exported_in_the_clear(browser, shanghai))
    assert check(files) == []

    name = next(one for one in files if one.startswith("records/0003"))
    record = json.loads(files[name])
    record["body_text"] = record["body_text"].replace("老年科", "内科　")
    files[name] = json.dumps(record | {"body": json.loads(record["body_text"])}).encode()
    _resealed(lambda _: None)(files)

    assert check(files) == [f"{name} 的原文与承诺值不符"]


def test_a_break_that_the_platform_recorded_is_evidence_and_no_fault_of_the_bundle(
    shanghai: Platform, tmp_path: Path
) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked()])
    shanghai.send("uploadFollowUp", [hospital.started(eventDigest="f" * 64)])
    shanghai.send("uploadRecordView", [hospital.viewed()])
    with signed_in(shanghai) as browser:
        (tmp_path / "bundle.zip").write_bytes(exported(browser).content)
    files = unpacked((tmp_path / "bundle.zip").read_bytes())
    (tmp_path / "verify.py").write_bytes(files["verify.py"])

    done = verified(tmp_path, "verify.py", "bundle.zip")

    assert done.returncode == 0, done.stdout
    assert "医院链值不符（平台已记录）：全院序号 2" in done.stdout
    assert "已核对相符 2 条，缺前一条未核对 0 条，不符 1 条" in done.stdout
    assert json.loads(files["manifest.json"])["chain"] == {"links": 3, "broken": [2], "open": []}


def test_a_break_that_the_platform_did_not_record_is_a_fault_of_the_bundle(browser: httpx.Client) -> None:
    files = unpacked(exported(browser).content)
    second = json.loads(files["chain.json"])[1]["digest"].encode()

    _resealed(_edited("chain.json", second, b"f" * 64))(files)

    assert "全院序号 2 的链值与平台的记录不一致" in check(files)


def test_links_without_a_link_before_them_are_counted_as_unchecked(
    shanghai: Platform, tmp_path: Path
) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked()])
    hospital.link()  # lost on its way
    shanghai.send("uploadFollowUp", [hospital.started()])
    lost = hospital.link()
    shanghai.send("uploadRecordView", [hospital.viewed(prevHash=lost["chainHash"])])
    with signed_in(shanghai) as browser:
        (tmp_path / "bundle.zip").write_bytes(exported(browser).content)
    (tmp_path / "verify.py").write_bytes(unpacked((tmp_path / "bundle.zip").read_bytes())["verify.py"])

    done = verified(tmp_path, "verify.py", "bundle.zip")

    assert done.returncode == 0, done.stdout
    assert "医院链 3 条：已核对相符 1 条，缺前一条未核对 2 条，不符 0 条" in done.stdout


def _edited(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        found = next(one for one in files if one.startswith(name))
        assert old in files[found]
        files[found] = files[found].replace(old, new, 1)

    return edit


def _resealed(edit: Callable[[Files], None]) -> Callable[[Files], None]:
    """A forger with a key of his own who makes everything fit again."""

    def forge(files: Files) -> None:
        edit(files)
        manifest = json.loads(files["manifest.json"])
        for name in manifest["files"]:
            manifest["files"][name] = {
                "sha256": hashlib.sha256(files[name]).hexdigest(),
                "size": len(files[name]),
            }
        files["manifest.json"] = json.dumps(manifest).encode()
        key = Ed25519PrivateKey.generate()
        files["signature.json"] = json.dumps({
            "algorithm": "Ed25519", "public_key": key.public_key().public_bytes_raw().hex(),
            "signature": key.sign(files["manifest.json"]).hex(),
        }).encode()  # fmt: skip

    return forge


def _removed(name: str) -> Callable[[Files], None]:
    def remove(files: Files) -> None:
        del files[next(one for one in files if one.startswith(name))]

    return remove


def _added(files: Files) -> None:
    files["records/9999-extra.json"] = b"{}"


TAMPERED: dict[str, tuple[Callable[[Files], None], str]] = {
    "a record's words": (_edited("records/0003", "老年科".encode(), "内科　".encode()), "文件已被改动"),
    "a receipt": (_edited("receipts.json", b"SH20", b"SH21"), "文件已被改动"),
    "a record left out": (_removed("records/0004"), "缺少文件"),
    "a record put in": (_added, "清单之外"),
    "the manifest": (_edited("manifest.json", b'"masked": true', b'"masked":  true'), "签名不正确"),
    "a link": (_resealed(_edited("chain.json", b'"number": 4', b'"number": 5')), "链"),
    "a receipt, sealed anew": (_resealed(_edited("receipts.json", b"SH20", b"SH21")), "回执清单"),
    "a record, sealed anew": (_resealed(_edited("records/0003", b'"hospitalSeq": 3', b'"hospitalSeq": 4')), "不在所附的链上"),
    "the trail, sealed anew": (_resealed(_edited("trail.json", "监管员".encode(), "别的人".encode())), "留痕"),
    "only the key": (_resealed(lambda _: None), "公钥"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAMPERED)
def test_tampering_is_named(browser: httpx.Client, kind: str) -> None:
    answer = exported(browser)
    files = unpacked(answer.content)
    assert check(files, answer.headers["x-public-key"]) == []
    tamper, words = TAMPERED[kind]

    tamper(files)

    assert any(words in fault for fault in check(files, answer.headers["x-public-key"]))


def test_a_whole_forgery_is_found_by_the_check_code(browser: httpx.Client) -> None:
    answer = exported(browser)
    files = unpacked(answer.content)

    _resealed(lambda _: None)(files)

    assert check(files, expected=answer.headers["x-manifest-sha256"]) == ["清单与指定的核验码不一致"]


def test_what_is_no_bundle_is_said_to_be_none(browser: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_bytes(unpacked(exported(browser).content)["verify.py"])
    (tmp_path / "broken.zip").write_bytes(b"PK nonsense")

    for place in ("broken.zip", "nowhere.zip", "."):
        done = verified(tmp_path, "verify.py", place)
        assert done.returncode == 1
        assert "不可信" in done.stdout


@pytest.mark.parametrize("missing", ["authority", "reason"])
def test_without_order_or_reason_nothing_is_exported(browser: httpx.Client, missing: str) -> None:
    assert browser.post("/visits/V-1/evidence", data=ORDER | {missing: ""}).status_code == 422


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 511))
def test_the_verifiers_own_signatures_agree_with_a_library(message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.generate()
    owner, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))

    assert signed(owner, bytes(signature), message)
    signature[bit // 8] ^= 1 << bit % 8
    assert not signed(owner, bytes(signature), message)
    assert not signed(owner, key.sign(message), message + b"x")


def test_the_verifier_agrees_with_rfc_8032() -> None:
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert signed(key, signature, b"\x72")
    assert not signed(key, signature, b"\x73")
