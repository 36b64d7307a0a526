"""What the centre does with a prescription. No HTTP here."""

import base64
import hashlib
import json
import secrets
from typing import Any

from simulators.eprescription.store import Rx, Store

HEAD = (
    "hospRxno", "fixmedinsCode", "fixmedinsName", "prscTime", "rxDrugCnt", "valiDays", "valiEndTime", "rxTypeCode",
    "bizTypeCode", "psnName", "psnCertType", "certno", "drName", "drCode", "pharName", "pharCode", "diseCodg", "diseName",
)  # fmt: skip
LINE = (
    "fixmedinsHilistId", "rxItemTypeCode", "drugGenname", "drugSpec", "medcWayCodg", "sinDoscnt", "sinDosunt",
    "usedFrquCodg", "medcDays", "drugCnt", "drugDosunt", "drugPric", "drugSumamt", "hospApprFlag",
)  # fmt: skip
TYPES = ("11", "12", "13")


class Refused(Exception):
    def __init__(self, code: str, words: str) -> None:
        super().__init__(code)
        self.code, self.words = code, words


def _file(text: str) -> bytes:
    try:
        sheet = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("A0204", "originalRxFile 不是 Base64") from None
    if not sheet.startswith(b"%PDF-"):
        raise Refused("A0205", "originalRxFile 不是 PDF 处方")
    return sheet


class Centre:
    def __init__(self, store: Store, fixmedins: str) -> None:
        self._store, self._fixmedins = store, fixmedins

    def check(self, body: dict[str, Any]) -> dict[str, Any]:
        """Raises Refused with every empty field."""
        lines = body.get("rxDetlList")
        empty = [name for name in HEAD if not body.get(name)]
        if not isinstance(lines, list) or not lines:
            raise Refused("A0101", "rxDetlList 为空")
        empty += [f"{name}[{at}]" for at, line in enumerate(lines) for name in LINE if not line.get(name)]
        if empty:
            raise Refused("A0101", "必填项为空：" + "|".join(empty))
        if body["fixmedinsCode"] != self._fixmedins:
            raise Refused("A0102", "定点机构编码不符")
        if body["rxDrugCnt"] != str(len(lines)):
            raise Refused("A0103", "rxDrugCnt 与明细不符")
        if any(line["rxItemTypeCode"] not in TYPES for line in lines):
            raise Refused("A0104", "rxItemTypeCode 不正确")
        if any(line["hospApprFlag"] == "1" and not line.get("medListCodg") for line in lines):
            raise Refused("A0105", "医保支付的药品缺少医保编码")
        text = json.dumps(body, sort_keys=True, ensure_ascii=False)
        known = self._store.by_ours(body["hospRxno"])
        if known is not None and known.body != text:
            raise Refused("A0106", "同一 hospRxno 的内容不一致")
        rx = known or self._store.add(body["hospRxno"], text, secrets.token_hex(12))
        return {"rxTraceCode": rx.trace, "hiRxno": rx.number}

    def sign(self, body: dict[str, Any]) -> dict[str, Any]:
        rx = self._known(body)
        if rx.stage == "undone":
            raise Refused("A0201", "处方已撤销")
        content = body.get("originalValue", "")
        if not content:
            raise Refused("A0202", "originalValue 为空")
        sheet = _file(body.get("originalRxFile", ""))
        digest = hashlib.new("sm3", content.encode() + sheet).hexdigest()
        if rx.stage == "checked":
            self._store.keep_sheet(rx, sheet)
            self._store.move(rx, "signed", digest)
        elif rx.digest != digest:
            raise Refused("A0203", "签名内容与此前不一致")
        return {"rxFile": content, "signDigest": digest}

    def upload(self, body: dict[str, Any]) -> dict[str, Any]:
        rx = self._known(body)
        if rx.stage not in ("signed", "uploaded") or body.get("signDigest") != rx.digest:
            raise Refused("A0301", "处方未签名或签名不符")
        self._store.move(rx, "uploaded")
        return {"hiRxno": rx.number, "rxStasCodg": "1"}

    def undo(self, body: dict[str, Any], *, used: bool) -> dict[str, Any]:
        rx = self._store.by_number(body.get("hiRxno", ""))
        if rx is None:
            raise Refused("A0404", "没有该处方")
        if used:
            raise Refused("A0401", "处方已使用，不能撤销")
        self._store.move(rx, "undone")
        return {"hiRxno": rx.number, "rxStasCodg": "2"}

    def query(self, body: dict[str, Any], *, used: bool) -> dict[str, Any]:
        rx = self._store.by_ours(body.get("hospRxno", "")) or self._store.by_number(
            body.get("hiRxno", "none")
        )
        if rx is None:
            raise Refused("A0404", "没有该处方")
        return {
            "hiRxno": rx.number, "hospRxno": rx.ours, "rxStasCodg": "2" if rx.stage == "undone" else "1",
            "rxUsedStasCodg": "1" if used else "0",
        }  # fmt: skip

    def _known(self, body: dict[str, Any]) -> Rx:
        rx = self._store.by_number(body.get("hiRxno", ""))
        if rx is None or rx.trace != body.get("rxTraceCode"):
            raise Refused("A0404", "没有该处方，或 rxTraceCode 不符")
        return rx
