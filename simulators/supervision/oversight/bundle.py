"""The evidence bundle of a visit: a zip that proves itself without us (oversight/verify_bundle.py, in it as verify.py).

manifest.json   visit, who and why, the reveal it rests on, the chain's standing, every file with its SHA-256
signature.json  Ed25519 over manifest.json            receipts.json   receipts, digests of requests, commitments to stored texts
records/…json   each record, masked or in the clear   trail.json      the supervisors' lines about this visit, linked
chain.json      the hospital's chain, first to last   matters.json    alerts, steps, questions, answers
verify.py, README.txt
"""

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.supervision.console import reading
from simulators.supervision.oversight import bundle_parts as parts
from simulators.supervision.oversight import trail
from simulators.supervision.oversight.evidence_key import public_text
from simulators.supervision.oversight.reveals import Reveal
from simulators.supervision.settings import Supervisor
from simulators.supervision.times import wire_text

VERIFIER = Path(__file__).with_name("verify_bundle.py")
README = """互联网医院监管平台 证据包（演示数据）

核验：在有 Python 3.9 以上版本的计算机上，解压后运行
    python3 verify.py
不需要网络，也不需要安装其他软件。加上 --key 公钥 与 --manifest 核验码（均见监管端导出页面），可确认本包由平台导出且未被替换。

manifest.json   清单：就诊、导出人、检查文书、查看许可、医院链核对情况、每个文件的摘要
signature.json  平台对清单的签名（Ed25519）
records/        每条上报记录；receipts.json 为回执、报文摘要与原文承诺值（原文与盐只在未脱敏的证据包内）
chain.json      医院事件链中从本次就诊第一条到最后一条的链值
trail.json      监管人员对本次就诊的操作留痕（其他事项只有摘要）
matters.json    预警、办理经过、询问与答复
"""


@dataclass(frozen=True)
class Order:
    """Who asks for the bundle and why; in the clear only with a reveal that allows it and is open."""

    visit_no: str
    by: Supervisor
    authority: str
    reason: str
    hospital: str
    reveal: Reveal | None = None


@dataclass(frozen=True)
class Made:
    data: bytes
    manifest_digest: str
    public_key: str


def make(connection: sqlite3.Connection, order: Order, at: datetime, key: Ed25519PrivateKey) -> Made:
    """The zip, and the two lines of the trail about it: that it was asked for, in it; and what came of it."""
    steps, clear = reading.visit(connection, order.visit_no), order.reveal is not None
    persons = parts.persons(steps)
    say: parts.Say = str if clear else persons.mask
    number = _asked(connection, order, at)
    texts = parts.texts(connection, steps)
    links = parts.chain(connection, steps)
    files = {
        "README.txt": README.encode(),
        "verify.py": VERIFIER.read_bytes(),
        "receipts.json": _json([parts.receipt(one, texts[one.id], key) for one in steps]),
        "chain.json": _json(links),
        "matters.json": _json(parts.followed(connection, order.visit_no, say)),
        "trail.json": _json(parts.lines(connection, order.visit_no, steps, number, say)),
    }
    for place, step in enumerate(steps, 1):
        files[f"records/{place:04d}-{step.method}.json"] = _json(
            parts.record(step, texts[step.id], key, clear=clear, also=persons)
        )
    manifest = _json({
        "format": "evidence-bundle/2", "visit_no": order.visit_no, "hospital": order.hospital, "made_at": wire_text(at),
        "made_by": {"login": order.by.login, "name": order.by.name}, "authority": say(order.authority),
        "reason": say(order.reason), "masked": not clear, "reveal": _reveal(order.reveal), "records": len(steps),
        "trail_number": number, "chain": parts.standing(connection, links),
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


def _asked(connection: sqlite3.Connection, order: Order, at: datetime) -> int:
    """An export in the clear is a deed under its reveal, like a look."""
    words = {"authority": order.authority, "reason": order.reason}
    subject = f"visit {order.visit_no}"
    if order.reveal is None:
        return trail.write(connection, at, order.by, "evidence.export", subject, **words)
    return trail.write(
        connection, at, order.by, "reveal.export", subject, reveal=str(order.reveal.id), **words
    )


def _reveal(reveal: Reveal | None) -> Mapping[str, Any] | None:
    if reveal is None:
        return None
    return {
        "id": reveal.id, "asked_by": reveal.login, "granted_by": reveal.decided_login, "authority": reveal.authority,
        "reason": reveal.reason, "ends_at": wire_text(reveal.ends_at) if reveal.ends_at else None,
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
