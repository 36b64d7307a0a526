"""Checks an evidence bundle without any network, with Python 3.9 or later and nothing else: put into every bundle as verify.py.

    python3 verify.py [bundle.zip or its unpacked folder] [--key HEX] [--manifest SHA256]

Without an argument it checks the folder it lies in. `--key` is the platform's public key and `--manifest` the check code, both as the
console shows them: whoever changes a bundle and signs it anew is found out by either. Exit status 0: the bundle holds; 1: it does not. A chain
that the hospital broke is no fault of the bundle that proves it: the platform wrote the break down, and it is reported apart.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]
Files = dict[str, bytes]

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
GENESIS = "0" * 64
SALT_BYTES = 32


def add(a: Point, b: Point) -> Point:
    """Two points of the curve in extended coordinates."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    left, right, up, down = f - e, h - g, h + g, f + e
    return left * right % P, up * down % P, right * up % P, left * down % P


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def point_of(data: bytes) -> Point | None:
    """A compressed point, or None when there is none."""
    y = int.from_bytes(data, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) is good."""
    owner, point = point_of(key), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if owner is None or point is None or len(signature) != 64 or scalar >= ORDER:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    one, two = times(scalar, BASE), add(point, times(hashed, owner))
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0


def sha256(data: bytes) -> str:
    """Hex."""
    return hashlib.sha256(data).hexdigest()


def read(place: Path) -> Files:
    """name -> bytes of a zip file or a folder; the verifier's own leftovers do not count."""
    if place.is_dir():
        files = [one for one in sorted(place.rglob("*")) if one.is_file() and "__pycache__" not in one.parts]
        return {one.relative_to(place).as_posix(): one.read_bytes() for one in files}
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        if len(names) != len(set(names)):
            raise ValueError("压缩包内有重名文件")
        return {name: archive.read(name) for name in names if not name.endswith("/")}


def check_files(files: Files, manifest: Any) -> Iterator[str]:
    """Each file listed with its digest, and none besides."""
    listed = manifest["files"]
    for name in sorted(set(listed) | set(files) - {"manifest.json", "signature.json"}):
        if name not in files:
            yield f"缺少文件 {name}"
        elif name not in listed:
            yield f"清单之外的文件 {name}"
        elif sha256(files[name]) != listed[name]["sha256"] or len(files[name]) != listed[name]["size"]:
            yield f"文件已被改动 {name}"


def check_signature(files: Files, pinned: str | None) -> Iterator[str]:
    """The platform signed the manifest, with the key that was expected."""
    said = json.loads(files["signature.json"])
    if said.get("algorithm") != "Ed25519":
        yield "签名算法不是 Ed25519"
        return
    if pinned and said["public_key"].lower() != pinned.lower():
        yield "签名公钥与指定的公钥不一致"
    if not signed(
        bytes.fromhex(said["public_key"]), bytes.fromhex(said["signature"]), files["manifest.json"]
    ):
        yield "清单的签名不正确"


def stands(link: Any, heads: dict[int, str]) -> str:
    """good, broken, or open: nothing to hold it to, as the link before it never came."""
    number, said = link["number"], link["said"]
    before = heads.get(number - 1, link["before"])
    if before is not None and said is not None and before != said:
        return "broken"
    if before is None and said is None:
        return "open"
    data = bytes.fromhex(before or said) + number.to_bytes(8, "big") + bytes.fromhex(link["digest"])
    if sha256(data) != link["head"]:
        return "broken"
    return "good" if before is not None else "open"


def check_chain(links: Any, recorded: Any) -> Iterator[str]:
    """Neighbours agree, and each link stands as the platform wrote down. That a link does not fit may be the very evidence."""
    heads: dict[int, str] = {0: GENESIS}
    named = {number: state for state in ("broken", "open") for number in recorded[state]}
    if recorded["links"] != len(links) or not set(named) <= {link["number"] for link in links}:
        yield "清单与所附的链条数不一致"
    for link in links:
        number, before = link["number"], link["before"]
        if heads.get(number - 1, before) != before:
            yield f"全院序号 {number} 与前一条不相接"
        if stands(link, heads) != named.get(number, "good"):
            yield f"全院序号 {number} 的链值与平台的记录不一致"
        heads[number] = link["head"]


def check_records(files: Files, links: Any, receipts: Any) -> Iterator[str]:
    """Each record stands in the chain where it says, has its receipt, and is the text it was stored as."""
    places = {link["number"]: link for link in links}
    given = {one["record_id"]: one for one in receipts}
    for name in sorted(one for one in files if one.startswith("records/")):
        record = json.loads(files[name])
        body, receipt = record["body"], given.get(record["record_id"])
        if receipt is None or any(
            receipt[key] != record[key] for key in ("receipt", "received_at", "body_commitment")
        ):
            yield f"{name} 与回执清单不一致"
        if record.get("body_text") is not None:
            salt = bytes.fromhex(record["salt"])
            made = hmac.new(salt, record["body_text"].encode(), "sha256").hexdigest()
            if len(salt) != SALT_BYTES or made != record["body_commitment"]:
                yield f"{name} 的原文与承诺值不符"
            if json.loads(record["body_text"]) != body:
                yield f"{name} 的原文与内容不一致"
        if "chainHash" in body:
            link = places.get(int(body["hospitalSeq"]))
            if link is None or (link["head"], link["digest"]) != (body["chainHash"], body["eventDigest"]):
                yield f"{name} 不在所附的链上"


def check_trail(trail: Any) -> Iterator[str]:
    """The supervisors' own lines follow one another; those about other matters are there as digests."""
    before = trail["before"]
    for line in trail["lines"]:
        if "said" in line:
            text = json.dumps(line["said"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            if sha256(text.encode()) != line["entry"] or line["said"]["number"] != line["number"]:
                yield f"监管留痕第 {line['number']} 条已被改动"
        head = sha256(bytes.fromhex(before) + bytes.fromhex(line["entry"]))
        if head != line["head"]:
            yield f"监管留痕第 {line['number']} 条与前一条不相接"
        before = line["head"]


def check(files: Files, pinned: str | None = None, expected: str | None = None) -> list[str]:
    """Every fault, in words."""
    for name in ("manifest.json", "signature.json", "chain.json", "receipts.json", "trail.json"):
        if name not in files:
            return [f"缺少文件 {name}"]
    manifest = json.loads(files["manifest.json"])
    faults = [*check_files(files, manifest), *check_signature(files, pinned)]
    if expected and sha256(files["manifest.json"]) != expected.lower():
        faults.append("清单与指定的核验码不一致")
    if any(check_files(files, manifest)):
        return faults  # what is in the files means nothing now
    links, receipts = json.loads(files["chain.json"]), json.loads(files["receipts.json"])
    faults += check_chain(links, manifest["chain"])
    faults += check_records(files, links, receipts)
    faults += check_trail(json.loads(files["trail.json"]))
    return faults


def main(arguments: list[str]) -> int:
    """0 when everything holds."""
    options: dict[str, str | None] = {"--key": None, "--manifest": None}
    places: list[str] = []
    rest = iter(arguments)
    for one in rest:
        if one in options:
            options[one] = next(rest, None)
        else:
            places.append(one)
    try:
        files = read(Path(places[0]) if places else Path(__file__).resolve().parent)
        faults = check(files, options["--key"], options["--manifest"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as problem:
        faults = [f"无法读取：{type(problem).__name__} {problem}"]
        files = {}
    out = sys.stdout.write
    for fault in faults:
        out(f"不通过  {fault}\n")
    if faults:
        out("结论：证据包不可信\n")
        return 1
    for line in summary(files):
        out(f"{line}\n")
    return 0


def summary(files: Files) -> Iterator[str]:
    """What a bundle that holds says; links that fit are counted apart from those that do not and from those nothing is known of."""
    manifest = json.loads(files["manifest.json"])
    chain, lines = manifest["chain"], json.loads(files["trail.json"])["lines"]
    broken, unchecked = len(chain["broken"]), len(chain["open"])
    yield f"就诊流水号  {manifest['visit_no']}"
    yield f"核验码      {sha256(files['manifest.json'])}"
    yield f"签名公钥    {json.loads(files['signature.json'])['public_key']}"
    yield f"文件 {len(manifest['files'])} 个，记录 {manifest['records']} 条：与清单、回执相符"
    yield f"医院链 {chain['links']} 条：已核对相符 {chain['links'] - broken - unchecked} 条，缺前一条未核对 {unchecked} 条，不符 {broken} 条"
    said = sum("said" in line for line in lines)
    shown = sum("shown" in line for line in lines)
    yield f"监管留痕 {len(lines)} 条相接：附原文 {said} 条，附脱敏文字 {shown} 条，其余为摘要"
    if broken:
        yield f"医院链值不符（平台已记录）：全院序号 {'、'.join(map(str, chain['broken']))}"
    yield "结论：通过" if not broken else "结论：证据包可信；医院所报的链值不符"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
