"""The evidence bundle of a visit: a zip that proves itself without us (oversight/verify_bundle.py, in it as verify.py).

manifest.json   visit, who and why, every file with its SHA-256      signature.json  Ed25519 over manifest.json
records/…json   each record, masked unless a reveal is open          receipts.json   receipts, digests of requests and of stored texts
chain.json      the hospital's chain from the first to the last      trail.json      the supervisors' lines about this visit, linked
matters.json    alerts, steps, questions, answers                    verify.py, README.txt
"""

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.supervision.chain import GENESIS
from simulators.supervision.console import findings, reading
from simulators.supervision.console.masking import mask_record
from simulators.supervision.oversight import matters, questions, trail
from simulators.supervision.oversight.evidence_key import public_text
from simulators.supervision.settings import Supervisor
from simulators.supervision.times import utc_text, wire_text

VERIFIER = Path(__file__).with_name("verify_bundle.py")
LONGEST_CHAIN = 20_000
README = """互联网医院监管平台 证据包（演示数据）

核验：在有 Python 3.9 以上版本的计算机上，解压后运行
    python3 verify.py
不需要网络，也不需要安装其他软件。加上 --key 公钥 与 --manifest 核验码（均见监管端导出页面），可确认本包由平台导出且未被替换。

manifest.json   清单：就诊、导出人、检查文书、每个文件的摘要
signature.json  平台对清单的签名（Ed25519）
records/        每条上报记录；receipts.json 为回执、报文摘要与原文摘要
chain.json      医院事件链中从本次就诊第一条到最后一条的链值
trail.json      监管人员对本次就诊的操作留痕（其他事项只有摘要）
matters.json    预警、办理经过、询问与答复
"""


@dataclass(frozen=True)
class Order:
    """Who asks for the bundle and why; `clear` under an open reveal only."""

    visit_no: str
    by: Supervisor
    authority: str
    reason: str
    hospital: str
    clear: bool


@dataclass(frozen=True)
class Made:
    data: bytes
    manifest_digest: str
    public_key: str


def make(connection: sqlite3.Connection, order: Order, at: datetime, key: Ed25519PrivateKey) -> Made:
    """The zip, and the two lines of the trail about it: that it was asked for, in it; and what came of it."""
    steps = reading.visit(connection, order.visit_no)
    number = trail.write(
        connection, at, order.by, "evidence.export", f"visit {order.visit_no}",
        authority=order.authority, reason=order.reason, clear="yes" if order.clear else "no",
    )  # fmt: skip
    texts = {
        row["id"]: row["body"]
        for row in connection.execute(
            f"SELECT id, body FROM records WHERE id IN ({','.join('?' * len(steps))})",
            [one.id for one in steps],
        )
    }
    links = _chain(connection, steps)
    files = {
        "README.txt": README.encode(),
        "verify.py": VERIFIER.read_bytes(),
        "receipts.json": _json([_receipt(one, texts[one.id]) for one in steps]),
        "chain.json": _json(links),
        "matters.json": _json(_matters(connection, order.visit_no)),
        "trail.json": _json(_trail(connection, order.visit_no, number)),
    }
    for place, step in enumerate(steps, 1):
        files[f"records/{place:04d}-{step.method}.json"] = _json(
            _record(step, texts[step.id], clear=order.clear)
        )
    manifest = _json({
        "format": "evidence-bundle/1", "visit_no": order.visit_no, "hospital": order.hospital, "made_at": wire_text(at),
        "made_by": {"login": order.by.login, "name": order.by.name}, "authority": order.authority,
        "reason": order.reason, "masked": not order.clear, "records": len(steps), "trail_number": number,
        "files": {name: {"sha256": _sha256(data), "size": len(data)} for name, data in sorted(files.items())},
    })  # fmt: skip
    signature = {
        "algorithm": "Ed25519",
        "public_key": public_text(key),
        "signature": key.sign(manifest).hex(),
    }
    trail.write(
        connection, at, order.by, "evidence.made", f"visit {order.visit_no}",
        manifest_sha256=_sha256(manifest), export=str(number),
    )  # fmt: skip
    whole = {"manifest.json": manifest, "signature.json": _json(signature), **files}
    return Made(_zip(whole, at), _sha256(manifest), public_text(key))


def _receipt(step: reading.Item, text: str) -> dict[str, Any]:
    return {
        "record_id": step.id, "method": step.method, "profile": step.profile, "business_no": step.business_no,
        "event_id": step.event_id, "receipt": step.receipt, "occurred_at": wire_text(step.at),
        "received_at": wire_text(step.received_at), "request_sm3": step.request_digest,
        "body_sha256": _sha256(text.encode()),
    }  # fmt: skip


def _record(step: reading.Item, text: str, *, clear: bool) -> dict[str, Any]:
    body = dict(step.body) if clear else mask_record(step.method, step.body)
    return _receipt(step, text) | {"body": body} | ({"body_text": text} if clear else {})


def _chain(connection: sqlite3.Connection, steps: Sequence[reading.Item]) -> list[dict[str, Any]]:
    """From the visit's first place to its last, others as numbers and digests; the visit's own alone when that is too long."""
    places = sorted({int(one.body["hospitalSeq"]) for one in steps if one.body.get("hospitalSeq")})
    if not places:
        return []
    near = places[-1] - places[0] < LONGEST_CHAIN
    wanted = (
        f"number BETWEEN {places[0]} AND {places[-1]}"
        if near
        else f"number IN ({','.join(map(str, places))})"
    )
    rows = connection.execute(
        "SELECT number, digest, head, previous, (SELECT head FROM links AS one WHERE one.number = links.number - 1) "
        f"AS before FROM links WHERE {wanted} ORDER BY number"
    )
    return [
        {
            "number": row["number"], "digest": row["digest"], "head": row["head"],
            "before": GENESIS if row["number"] == 1 else row["before"] or row["previous"],
        }
        for row in rows
    ]  # fmt: skip


def _trail(connection: sqlite3.Connection, visit_no: str, last: int) -> dict[str, Any]:
    """From the first line about the visit to the export; lines about other things as digests."""
    own = {f"visit {visit_no}", visit_no} | {
        f"matter {row['id']}"
        for row in connection.execute("SELECT id FROM matters WHERE visit_no = ?", (visit_no,))
    }
    marks = ",".join("?" * len(own))
    first = connection.execute(
        f"SELECT min(number) FROM trail WHERE subject IN ({marks})", [*own]
    ).fetchone()[0]
    before = connection.execute("SELECT head FROM trail WHERE number = ?", (first - 1,)).fetchone()
    lines = []
    for row in connection.execute(
        "SELECT * FROM trail WHERE number BETWEEN ? AND ? ORDER BY number", (first, last)
    ):
        line = trail.line_of(row)
        said = {"said": line.said} if line.subject in own else {}
        lines.append({"number": line.number, "entry": line.entry, "head": line.head, **said})
    return {"before": before["head"] if before else trail.START, "lines": lines}


def _matters(connection: sqlite3.Connection, visit_no: str) -> dict[str, Any]:
    alerts = [
        {"rule": one.rule, "title": one.title, "basis": one.basis, "detail": one.detail, "at": wire_text(one.at),
         "record_id": one.record_id, "standing": one.standing}
        for one in findings.alerts(connection, visit_no=visit_no)
    ]  # fmt: skip
    rows = connection.execute("SELECT id FROM matters WHERE visit_no = ? ORDER BY id", (visit_no,)).fetchall()
    followed = []
    for row in rows:
        matter = matters.get(connection, row["id"])
        assert matter is not None
        followed.append({
            "title": matter.subject.title, "detail": matter.subject.detail, "standing": matter.standing,
            "steps": [
                {"at": wire_text(one.at), "by": one.name, "step": one.verb, "became": one.became, "note": one.note}
                for one in matters.steps(connection, matter.id)
            ],
            "questions": [_asked(one) for one in questions.of_matter(connection, matter.id)],
        })  # fmt: skip
    return {"alerts": alerts, "matters": followed}


def _asked(question: questions.Question) -> Mapping[str, Any]:
    return {
        "id": question.id, "by": question.by.name, "authority": question.authority, "words": question.words,
        "asked_at": utc_text(question.asked_at), "withdrawn": question.withdrawn, "answer": question.answer, "answered_by": question.answered_by,
        "answered_at": utc_text(question.answered_at) if question.answered_at else None,
    }  # fmt: skip


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _zip(files: Mapping[str, bytes], at: datetime) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=at.timetuple()[:6])
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()
