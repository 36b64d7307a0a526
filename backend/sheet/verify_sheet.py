# house: file-length: whoever verifies a sheet takes this one file, and needs nothing else of ours
"""Verify a signed sheet (PDF) or a file of evidence (JSON) of the internet hospital: one file, no network, none of its code.

    python verify_sheet.py --root root.pem [--root sm2-root.pem] [--json] FILE

Needs Python 3.11 and the packages `cryptography` and `asn1crypto`. Exit status 0: everything holds; 1: refused, the
reasons are printed; 2: could not be run. Says who signed what and when, and names the fields that were changed.
What it checks, and how to do the same by hand with openssl and pdfsig: docs/signatures.md. Nothing is believed but the
roots that are given: certificates, revocation lists and time stamps come out of the file and must lead to them.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from asn1crypto import algos, cms, core, crl, pem, tsp, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

STATEMENT = "2.25.200113726869624514064479705703810339756"
FORMAT = "internet-hospital-evidence/1"
PURPOSES = {
    "prescriber": "开方医师",
    "pharmacist": "审方药师",
    "second_pharmacist": "复核药师",
    "author": "病历医师",
}
ORDERS = (
    ["prescriber"],
    ["prescriber", "pharmacist"],
    ["prescriber", "pharmacist", "second_pharmacist"],
    ["author"],
)
"""Who signs after whom; nothing else was ever signed by us."""
ECDSA_SHA256, SM2_SM3 = "1.2.840.10045.4.3.2", "1.2.156.10197.1.501"
SM2_CURVE = "1.2.156.10197.1.301"
TIME_STAMPING = "time_stamping"
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A, B = P - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


class Refused(Exception):
    """Something does not hold; the words say what."""


@dataclass
class Report:
    """What is said at the end."""

    kind: str
    signatures: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    content_sha256: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was found and somebody signed."""
        found = self.problems or self.changed or any(one["problems"] for one in self.signatures)
        return bool(self.signatures) and not found


def refuse(words: str) -> NoReturn:
    raise Refused(words)


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# --- SM2 and SM3 (GB/T 32918.2, GB/T 32905) ---------------------------------------------------------------------------


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(number: int, point: Point) -> Point:
    found: Point = None
    while number:
        found = add(found, point) if number & 1 else found
        point, number = add(point, point), number >> 1
    return found


def sm2_verify(point: bytes, signature: bytes, data: bytes) -> bool:
    """`point` is x ‖ y, `signature` DER; the signer's id is the usual 1234567812345678."""
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    if max(x, y) >= P or (y * y - x * x * x - A * x - B) % P:
        return False
    pair = algos.DSASignature.load(signature, strict=True)
    if pair.dump(force=True) != signature:
        return False
    r, s = pair["r"].native, pair["s"].native
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, *G))
    z = sm3((128).to_bytes(2, "big") + b"1234567812345678" + curve + point)
    found = add(times(s, G), times((r + s) % N, (x, y)))
    return found is not None and (int.from_bytes(sm3(z + data), "big") + found[0]) % N == r


# --- certificates -----------------------------------------------------------------------------------------------------


def public(certificate: Any) -> tuple[str, bytes]:
    """Curve and x ‖ y of its key."""
    key = certificate.public_key
    point = bytes(key["public_key"].native)
    if key.algorithm != "ec" or len(point) != 65 or point[0] != 4:
        refuse("证书的公钥不是椭圆曲线公钥")
    return str(key["algorithm"]["parameters"].native), point[1:]


def signed_by(certificate: Any, signature: bytes, data: bytes) -> bool:
    """Whether the key of `certificate` signed `data`: ECDSA P-256 with SHA-256, or SM2 with SM3, as the key is."""
    curve, point = public(certificate)
    try:
        if curve == SM2_CURVE:
            return sm2_verify(point, signature, data)
        if curve != "secp256r1":
            return False
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def algorithm_of(certificate: Any) -> str:
    return SM2_SM3 if public(certificate)[0] == SM2_CURVE else ECDSA_SHA256


@dataclass
class Trust:
    """The given roots, and what the file brings along to reach them."""

    roots: list[Any]
    certificates: list[Any]
    lists: list[Any]

    def issuer_of(self, certificate: Any) -> Any:
        """The root or authority that signed it."""
        for one in (*self.roots, *self.certificates):
            inner, outer = certificate["tbs_certificate"]["signature"], certificate["signature_algorithm"]
            same = inner.dump() == outer.dump() and outer["algorithm"].dotted == algorithm_of(one)
            data, value = certificate["tbs_certificate"].dump(), certificate["signature_value"].native
            if one.subject == certificate.issuer and same and signed_by(one, value, data):
                return one
        return refuse("证书不是由给定的根证书签发的")

    def check(self, certificate: Any, at: datetime, usage: str | None = None) -> list[str]:
        """Every reason why it may not be believed for a signature of `at`. `Refused` without a chain."""
        found, depth = [], 0
        if usage is None and "non_repudiation" not in certificate.key_usage_value.native:
            found.append("证书不能用于签名")
        if usage is not None and certificate.extended_key_usage_value.native != [usage]:
            found.append("证书不能用于时间戳")
        while certificate not in self.roots and depth < 4:
            issuer = self.issuer_of(certificate)
            if not certificate.not_valid_before <= at <= certificate.not_valid_after:
                found.append(f"签名时证书不在有效期内（{certificate.not_valid_after:%Y-%m-%d %H:%M} 止）")
            found += self.revoked(certificate, issuer, at)
            if not issuer.ca:
                refuse("签发者不是认证机构")
            certificate, depth = issuer, depth + 1
        if certificate not in self.roots:
            refuse("证书链过长")
        return found

    def revoked(self, certificate: Any, issuer: Any, at: datetime) -> list[str]:
        """What the revocation lists in the file say of it; none that is good for that time is a reason too."""
        known = False
        for one in self.lists:
            body = one["tbs_cert_list"]
            if body["issuer"] != issuer.subject or not signed_by(
                issuer, one["signature"].native, body.dump()
            ):
                continue
            if body["next_update"].native < at:
                continue
            known = True
            for entry in body["revoked_certificates"]:
                same = entry["user_certificate"].native == certificate.serial_number
                if same and entry["revocation_date"].native <= at:
                    return [f"签名前证书已被吊销（{entry['revocation_date'].native:%Y-%m-%d %H:%M:%S}）"]
        return [] if known else ["文件中没有签名时有效的吊销列表"]


# --- CMS and time stamps ----------------------------------------------------------------------------------------------


@dataclass
class Cms:
    """A SignedData with one signer, read strictly: nothing in it is left unchecked, so that no byte of it is free."""

    signer: Any
    certificate: Any
    others: list[Any]
    content: bytes | None
    attributes: dict[str, Any]
    stamp: bytes | None


def is_der(data: bytes) -> bool:
    """Whether lengths are definite and as short as can be, all the way down."""
    at = 0
    while at < len(data):
        if len(data) < at + 2 or data[at] & 31 == 31:
            return False
        size, begin = data[at + 1], at + 2
        if size & 128:
            begin += size & 127
            size = int.from_bytes(data[at + 2 : begin], "big")
            if size < 128 or data[at + 2] == 0 or begin > at + 6:
                return False
        if begin + size > len(data) or (data[at] & 32 and not is_der(data[begin : begin + size])):
            return False
        at = begin + size
    return True


def read_cms(der: bytes, content_type: str) -> Cms:
    outer = cms.ContentInfo.load(der, strict=True)
    if not is_der(der) or outer["content_type"].native != "signed_data":
        refuse("签名不是规范编码")
    data = outer["content"]
    (signer,) = data["signer_infos"]
    plain = {"algorithm": "sha256", "parameters": None}
    version = {"data": "v1", "tst_info": "v3"}[content_type]
    inner = data["encap_content_info"]
    if (
        data["version"].native != version or signer["version"].native != "v1" or data["crls"].native
        or [one.native for one in data["digest_algorithms"]] != [plain] or signer["digest_algorithm"].native != plain
        or signer["signature_algorithm"].native != {"algorithm": "sha256_ecdsa", "parameters": None}
        or inner["content_type"].native != content_type
    ):  # fmt: skip
        refuse("签名的结构不符合要求")
    certificates = [one.chosen for one in data["certificates"]]
    sid = signer["sid"].chosen
    mine = [
        one
        for one in certificates
        if (one.issuer, one.serial_number) == (sid["issuer"], sid["serial_number"].native)
    ]
    if len(mine) != 1 or signer["sid"].name != "issuer_and_serial_number":
        refuse("签名中没有签名者的证书")
    attributes = {one["type"].dotted: one["values"] for one in signer["signed_attrs"]}
    if len(attributes) != len(signer["signed_attrs"]):
        refuse("签名属性重复")
    content = inner["content"].contents if content_type == "tst_info" else None
    return Cms(
        signer,
        mine[0],
        [one for one in certificates if one is not mine[0]],
        content,
        attributes,
        _stamp(signer),
    )


def _stamp(signer: Any) -> bytes | None:
    unsigned = list(signer["unsigned_attrs"])
    if not unsigned:
        return None
    if len(unsigned) != 1 or unsigned[0]["type"].native != "signature_time_stamp_token":
        refuse("签名中有未知的附加内容")
    (token,) = unsigned[0]["values"]
    return bytes(token.dump())


def check_cms(found: Cms, digest: bytes) -> bool:
    """`Refused` unless the attributes are signed by the certificate; False when they are of another document."""
    attributes = found.attributes
    signed = found.signer["signed_attrs"].untag().dump()
    if not signed_by(found.certificate, found.signer["signature"].native, signed):
        refuse("签名值与签名属性不符")
    (ours, *_) = attributes["1.2.840.113549.1.9.16.2.47"][0]["certs"]
    if ours["cert_hash"].native != hashlib.sha256(found.certificate.dump()).digest():
        refuse("签名属性指向另一张证书")
    return bool(attributes["1.2.840.113549.1.9.4"][0].native == digest)


def stamped(token: bytes, data: bytes, trust: Trust) -> datetime:
    """When the time-stamp service saw `data`. `Refused`."""
    found = read_cms(token, "tst_info")
    assert found.content is not None
    if found.stamp or found.others or not check_cms(found, hashlib.sha256(found.content).digest()):
        refuse("时间戳被改动")
    info = tsp.TSTInfo.load(found.content, strict=True)
    imprint = info["message_imprint"].native
    if (
        imprint["hash_algorithm"]["algorithm"] != "sha256"
        or imprint["hashed_message"] != hashlib.sha256(data).digest()
    ):
        refuse("时间戳不是对这个签名的")
    at = info["gen_time"].native
    if problems := trust.check(found.certificate, at, TIME_STAMPING):
        refuse(f"时间戳的证书：{problems[0]}")
    assert isinstance(at, datetime)
    return at


def who(certificate: Any) -> dict[str, str]:
    subject = certificate.subject.native
    return {
        "name": subject["common_name"],
        "unit": subject.get("organizational_unit_name", ""),
        "holder": subject["serial_number"],
        "certificate": f"{certificate.serial_number:X}",
    }


def changes(content: Any, fields: dict[str, str]) -> list[dict[str, Any]]:
    """Fields whose digest is not the signed one, those that were added and those that are gone."""
    now, values = {}, {}
    for path, value in leaves(content):
        now[path], values[path] = hashlib.sha256(canonical([path, value])).hexdigest()[:16], value
    names = sorted(path for path in now.keys() | fields.keys() if now.get(path) != fields.get(path))
    kinds = {
        path: "added" if path not in fields else "removed" if path not in now else "changed" for path in names
    }
    return [{"field": path, "kind": kinds[path], "now": values.get(path)} for path in names]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    parts = list(inner)
    if not parts:
        yield path, value
    for name, one in parts:
        yield from leaves(one, f"{path}.{name}" if path else str(name))


# --- a file of evidence -----------------------------------------------------------------------------------------------


def verify_evidence(raw: bytes, roots: list[Any]) -> Report:
    report = Report("evidence")
    body = json.loads(raw)
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        refuse("不是签名证据文件")
    trust = Trust(
        roots,
        [x509.Certificate.load(unpack(one), strict=True) for one in body["certificates"]],
        [crl.CertificateList.load(unpack(one), strict=True) for one in body["revocation_lists"]],
    )
    first = body["signatures"][0]["value"]
    report.content_sha256 = hashlib.sha256(canonical(body["content"])).hexdigest()
    with_problem(report, "字段摘要", lambda: stamped(
        unpack(body["naming"]), canonical({"fields": body["fields"], "signature": first}), trust
    ))  # fmt: skip
    if not report.problems:
        report.changed = changes(body["content"], body["fields"])
    for index, one in enumerate(body["signatures"]):
        over = body["content"] if index == 0 else one["statement"]
        report.signatures.append(_evidence_signature(one, over, body, trust, first=index == 0))
    check_order(report)
    rest = {name: value for name, value in body.items() if name != "archive"}
    with_problem(report, "整个文件", lambda: stamped(unpack(body["archive"]), canonical(rest), trust))
    if canonical(body) != raw:
        report.problems.append("文件不是规范的 JSON，被改动过")
    return report


def _evidence_signature(
    one: dict[str, Any], over: Any, body: dict[str, Any], trust: Trust, *, first: bool
) -> dict[str, Any]:
    certificate = x509.Certificate.load(unpack(one["certificate"]), strict=True)
    value, problems, at = unpack(one["value"]), [], None
    name = {"ecdsa-p256-sha256": ECDSA_SHA256, "sm2-sm3": SM2_SM3}.get(one["algorithm"])
    if name != algorithm_of(certificate) or not signed_by(certificate, value, canonical(over)):
        problems.append("签名与内容不符")
    try:
        at = stamped(unpack(one["time_stamp"]), value, trust)
        problems += trust.check(certificate, at)
    except Refused as problem:
        problems.append(str(problem))
    if first and one["statement"] is not None:
        problems.append("签名内容不明")
    if not first:
        said = one["statement"]
        content = hashlib.sha256(canonical(body["content"])).hexdigest()
        if (
            said["prescription_digest"] != content
            or said["doctor_signature"] != body["signatures"][0]["value"]
        ):
            problems.append("药师审核的不是这份处方")
        if said["verdict"] != "approved":
            problems.append("药师没有通过")
    return _entry(one["purpose"], certificate, at, problems)


def _entry(purpose: str, certificate: Any, at: datetime | None, problems: list[str]) -> dict[str, Any]:
    return {
        "purpose": purpose, **who(certificate), "at": at.isoformat() if at else None, "problems": problems,
        "algorithm": "SM2/SM3" if algorithm_of(certificate) == SM2_SM3 else "ECDSA P-256/SHA-256",
    }  # fmt: skip


def check_order(report: Report) -> None:
    """The right people in the right order, and nobody twice: the second pair of eyes is another person's."""
    holders = [one["holder"] for one in report.signatures]
    if [one["purpose"] for one in report.signatures] not in ORDERS:
        report.problems.append("签名的人或次序不对")
    if len(set(holders)) != len(holders):
        report.problems.append("同一人签名两次")
    if [one["purpose"] for one in report.signatures] == ["prescriber"]:
        report.notes.append("注意：没有药师的审核签名，这张处方尚未生效")


def with_problem(report: Report, what: str, act: Any) -> None:
    try:
        act()
    except Refused as problem:
        report.problems.append(f"{what}：{problem}")


def unpack(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    return data if base64.b64encode(data).decode() == text else refuse("Base64 不规范")


# --- a sheet ----------------------------------------------------------------------------------------------------------

RANGE = re.compile(rb"/ByteRange \[0 (\d{1,9}) (\d{1,9}) (\d{1,9})\] *\n")
HEADER = re.compile(rb"(?<![^\n])(\d+) 0 obj\b")
STREAM = re.compile(rb"/Length (\d+).*?stream\r?\n", re.S)
Objects = dict[int, tuple[bytes, bytes, int]]


@dataclass
class Part:
    """One revision of the file with its signature: it ends at `end`, the signature stands between `gap` and `after`."""

    begin: int
    gap: int
    after: int
    end: int
    der: bytes


def parts_of(raw: bytes) -> list[Part]:
    ranges = sorted((int(g), int(a), int(a) + int(n)) for g, a, n in RANGE.findall(raw))
    if not ranges or raw.count(b"/ByteRange") != len(ranges):
        refuse("文件中没有可读的签名")
    found, begin = [], 0
    for gap, after, end in ranges:
        text = raw[gap + 1 : after - 1]
        if not begin <= gap < after <= end or raw[gap : gap + 1] + raw[after - 1 : after] != b"<>":
            refuse("签名的范围不对")
        data = bytes.fromhex(text.decode("ascii"))
        der = data[: 4 + int.from_bytes(data[2:4], "big")]
        if data[:2] != b"\x30\x82" or any(data[len(der) :]) or data.hex().upper().encode() != text:
            refuse("签名的编码被改动")
        found.append(Part(begin, gap, after, end, der))
        begin = end
    if begin != len(raw):
        refuse("最后一个签名之后文件又被改动或追加")
    return found


def objects(raw: bytes, begin: int, end: int, *, once: bool) -> Objects:
    """Plain objects by number: dictionary, stream, offset; with `once` a number that comes twice is refused."""
    found: Objects = {}
    while head := HEADER.search(raw, begin, end):
        stop = raw.find(b"endobj", head.end(), end)
        stream = STREAM.search(raw, head.end(), stop) if b"stream" in raw[head.end() : stop] else None
        data, body = b"", raw[head.end() : stop]
        if stream:
            body, data = raw[head.end() : stream.end()], raw[stream.end() : stream.end() + int(stream[1])]
            stop = raw.find(b"endobj", stream.end() + int(stream[1]), end)
        if (once and int(head[1]) in found) or stop < 0:
            refuse("文件结构被改动")
        found[int(head[1])], begin = (body, data, head.start(1)), stop
    return found


def one(pattern: bytes, text: bytes, group: int = 1) -> bytes:
    found = re.findall(pattern, text)
    return bytes(found[-1]) if found else refuse("文件结构不完整")


def check_increment(raw: bytes, part: Part, before: Objects) -> Objects:
    """The objects of a later revision; `Refused` when it does more than fill in a signature field."""
    new, region = objects(raw, part.begin, part.end, once=True), raw[part.begin : part.end]
    start = int(one(rb"startxref\n(\d+)\n%%EOF\n$", region))
    table = re.fullmatch(
        rb"xref\n((?:\d+ \d+\n(?:\d{10} \d{5} [nf] \n)+)+)trailer\n(.*?)startxref\n.*",
        raw[start : part.end],
        re.S,
    )
    if table is None or int(one(rb"/Prev (\d+)", table[2])) != int(
        one(rb"startxref\n(\d+)", raw[: part.begin])
    ):
        refuse("后来的修订没有规范的目录")
    entries, number = {}, 0
    for line in table[1].splitlines():
        if line.endswith(b"n "):
            entries[number] = int(line[:10])
        number = int(line.split()[0]) if len(line) < 18 else number + 1
    root, info = int(one(rb"/Root (\d+) 0 R", table[2])), int(one(rb"/Info (\d+) 0 R", table[2]))
    if entries != {number: place for number, (_, _, place) in new.items()} or root not in before:
        refuse("后来的修订没有规范的目录")
    dss = int(one(rb"/DSS (\d+) 0 R", before[root][0])) if b"/DSS" in before[root][0] else root
    for number in new.keys() & before.keys():
        old, now = before[number][0], new[number][0]
        filled = re.sub(rb"/AP <<[^>]*>>|/V \d+ 0 R|\s+", b"", now) == re.sub(rb"/AP <<[^>]*>>|\s+", b"", old)
        harmless = (
            number == info or (number == root and now == old)
            or (number == dss and re.fullmatch(rb"(\s|<<|>>|/Certs|/CRLs|\[[\d R]*\])*", now))
            or (b"/Type/Metadata" in old.replace(b" ", b"") and b"/Type /Metadata" in now)
            or (b"/FT /Sig" in old and b"/V " not in old and filled)
        )  # fmt: skip
        if not harmless:
            refuse("后来的签名改动了文件的其他部分")
    return before | new


def verify_pdf(raw: bytes, roots: list[Any]) -> Report:
    report = Report("pdf")
    parts = parts_of(raw)
    known = first = objects(raw, 0, parts[0].end, once=False)
    for part in parts[1:]:
        known = check_increment(raw, part, known)
    stores: list[list[int]] = [[], []]
    for body, _, _ in known.values():
        if b"/CRLs [" in body and b"/Certs [" in body:
            stores = [
                [int(n) for n in re.findall(rb"(\d+) 0 R", one(k, body))]
                for k in (rb"/Certs \[([^\]]*)", rb"/CRLs \[([^\]]*)")
            ]
    trust = Trust(
        roots,
        [x509.Certificate.load(known[number][1], strict=True) for number in stores[0]],
        [crl.CertificateList.load(known[number][1], strict=True) for number in stores[1]],
    )
    content = b""
    try:
        (found,) = (one for one in first.values() if re.search(rb"/Type/EmbeddedFile\b", one[0]))
        content = zlib.decompress(found[1]) if b"/FlateDecode" in found[0] else found[1]
        report.content_sha256 = hashlib.sha256(content).hexdigest()
    except (ValueError, zlib.error):
        report.problems.append("附件 content.json 无法读取")
    verdicts: list[str] = []
    for part in parts:
        report.signatures.append(_pdf_signature(raw, part, content, trust, report, verdicts))
    check_order(report)
    # A file can be cut back to an earlier signature: a pharmacist who was not the last word has said so in hers.
    if verdicts[1:] not in ([], ["approved"], ["endorsed", "approved"]):
        report.problems.append("药师没有通过，或缺少复核药师的签名")
    return report


def _pdf_signature(
    raw: bytes, part: Part, content: bytes, trust: Trust, report: Report, verdicts: list[str]
) -> dict[str, Any]:
    found, problems, at = read_cms(part.der, "data"), [], None
    digest = hashlib.sha256(raw[: part.gap] + raw[part.after : part.end]).digest()
    whole = check_cms(found, digest)
    statement = json.loads(core.OctetString.load(found.attributes[STATEMENT][0].dump()).native)
    if not whole:
        problems.append("签名之后文件被改动")
    if content and statement["content"] != report.content_sha256:
        problems.append("附件 content.json 不是被签名的内容")
        report.changed = changes(json.loads(content), statement["fields"])
    elif not whole:
        problems.append("附件 content.json 与签名一致，改动在文件的其他部分")
    verdicts.append(statement["verdict"])
    try:
        at = stamped(found.stamp or refuse("没有时间戳"), found.signer["signature"].native, trust)
        problems += trust.check(found.certificate, at)
        chain = [trust.issuer_of(found.certificate).dump()]
        if any(other.dump() not in chain for other in found.others):
            problems.append("签名中有无关的证书")
    except Refused as problem:
        problems.append(str(problem))
    return _entry(statement["purpose"], found.certificate, at, problems)


# --- the command ------------------------------------------------------------------------------------------------------


def verify(raw: bytes, roots: list[bytes]) -> Report:
    """`roots` are PEM. Everything that cannot be read is refused, never passed over."""
    trusted = [x509.Certificate.load(pem.unarmor(one)[2]) for one in roots]
    kind = "pdf" if raw.startswith(b"%PDF-") else "evidence"
    try:
        return (verify_pdf if kind == "pdf" else verify_evidence)(raw, trusted)
    except Refused as problem:
        return Report(kind, problems=[str(problem)])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        return Report(kind, problems=["文件无法读取，可能被改动或不是本院的文件"])


def as_text(report: Report) -> Iterator[str]:
    yield "有效：签名完整，文件未被改动。" if report.good else "拒绝：不能证明这是所签的内容。"
    for found in report.signatures:
        state = "；".join(found["problems"]) or "有效"
        role = PURPOSES.get(found["purpose"], found["purpose"])
        yield f"{role} {found['name']}（{found['unit']} {found['holder']}）于 {found['at']} 以 {found['algorithm']} 签名：{state}"
    for found in report.changed:
        words = {"changed": "被改动", "added": "是后加的", "removed": "被删去"}[found["kind"]]
        yield f"字段 {found['field']} {words}，现为 {found['now']!r}"
    yield from report.problems
    yield from report.notes
    yield f"内容摘要 SHA-256 {report.content_sha256}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="核验互联网医院签名的处方笺、病历（PDF）或签名证据（JSON），不联网。"
    )
    parser.add_argument("file", type=Path, help="PDF 或 JSON 文件")
    parser.add_argument(
        "--root", type=Path, action="append", required=True, help="信任的根证书（PEM），可多次给出"
    )
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    given = parser.parse_args(arguments)
    try:
        raw, roots = given.file.read_bytes(), [path.read_bytes() for path in given.root]
        report = verify(raw, roots)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify_sheet: {error}\n")
        return 2
    shown = report.__dict__ | {"verdict": "valid" if report.good else "refused"}
    text = json.dumps(shown, ensure_ascii=False, indent=2) if given.json else "\n".join(as_text(report))
    sys.stdout.write(f"{text}\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
