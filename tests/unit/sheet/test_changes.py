"""Whatever is changed in what was signed is refused, and named where it can be."""

import json
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.sheet.verify_sheet import verify as verified
from foundation.canonical import canonical
from tests.unit.sheet.conftest import Signed, Verify

pytestmark = pytest.mark.anyio
STEP = 307
"""Every so many bytes one is flipped: some 350 places of a sheet, begun anew at another one in each run of the test."""


def flipped(content: bytes, places: Iterator[int], rng: random.Random) -> Iterator[tuple[int, bytes]]:
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        yield place, bytes(changed)


def survivors(content: bytes, root: Path, places: Iterator[int]) -> list[int]:
    """Places where a flipped bit was not noticed."""
    roots, rng = [root.read_bytes()], random.Random()
    assert verified(content, roots).good
    return [place for place, changed in flipped(content, places, rng) if verified(changed, roots).good]


async def test_a_flipped_bit_anywhere_in_a_sheet_is_noticed(prescription: Signed) -> None:
    pdf = prescription.pdf

    assert survivors(pdf, prescription.root, iter(range(random.randrange(STEP), len(pdf), STEP))) == []


async def test_a_flipped_bit_anywhere_in_the_last_signature_is_noticed(record: Signed) -> None:
    """It is the one part of the file that no signature covers: the signature itself, certificates, stamp and padding."""
    gap, after, _ = map(int, re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", record.pdf)[-1])
    end = record.pdf.index(b"0" * 200, gap)

    places = [*range(gap + random.randrange(41), end, 41), *range(end, after, 997), gap, after - 1]

    assert survivors(record.pdf, record.root, iter(places)) == []


async def test_a_flipped_bit_anywhere_in_the_evidence_is_noticed(prescription: Signed) -> None:
    raw = prescription.evidence

    assert survivors(raw, prescription.root, iter(range(random.randrange(61), len(raw), 61))) == []


async def test_a_changed_dose_in_the_evidence_is_named(prescription: Signed, verify: Verify) -> None:
    body = json.loads(prescription.evidence)
    body["content"]["items"][0]["dose"] = "50"

    said = verify(canonical(body), prescription.root)

    assert said.status == 1
    assert said.report["changed"] == [{"field": "items.0.dose", "kind": "changed", "now": "50"}]
    assert "签名与内容不符" in said.text


async def test_digests_of_fields_that_were_changed_along_do_not_help(
    prescription: Signed, verify: Verify
) -> None:
    body = json.loads(prescription.evidence)
    body["content"]["patient_name"] = "别人"
    body["fields"]["patient_name"] = "0" * 16

    said = verify(canonical(body), prescription.root)

    assert said.status == 1
    assert any("字段摘要" in one for one in said.report["problems"])


async def test_a_dose_changed_in_the_attachment_of_a_sheet_is_named(
    prescription: Signed, verify: Verify
) -> None:
    pdf = prescription.pdf
    head = re.search(rb"/Length (\d+)/Type/EmbeddedFile.*?stream\n", pdf, re.DOTALL)
    assert head is not None
    packed = pdf[head.end() : head.end() + int(head[1])]
    content = json.loads(zlib.decompress(packed))
    content["items"][0]["dose"] = "9"
    changed = zlib.compress(canonical(content), 9).ljust(len(packed), b"\0")[: len(packed)]

    said = verify(pdf.replace(packed, changed), prescription.root)

    assert said.status == 1
    assert said.report["changed"] == [{"field": "items.0.dose", "kind": "changed", "now": "9"}], said.text


async def test_a_change_of_the_page_alone_is_told_from_one_of_the_content(
    prescription: Signed, verify: Verify
) -> None:
    pdf = prescription.pdf.replace(b"/MediaBox[0 0 419", b"/MediaBox[0 0 119", 1)

    said = verify(pdf, prescription.root)

    assert said.status == 1
    assert said.report["changed"] == []
    assert "附件 content.json 与签名一致，改动在文件的其他部分" in said.text


async def test_a_signature_taken_out_of_another_files_place_does_not_pass(
    prescription: Signed, verify: Verify
) -> None:
    body = json.loads(prescription.evidence)
    body["signatures"].reverse()

    assert verify(canonical(body), prescription.root).status == 1


async def test_the_evidence_without_the_pharmacist_is_not_the_evidence_that_was_given(
    prescription: Signed, verify: Verify
) -> None:
    body = json.loads(prescription.evidence)
    del body["signatures"][1]

    said = verify(canonical(body), prescription.root)

    assert said.status == 1
    assert any("整个文件" in one for one in said.report["problems"])
