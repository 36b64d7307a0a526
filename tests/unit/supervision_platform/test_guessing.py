"""What the stars hide stays hidden from whoever tries every number it can be."""

import hashlib
import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from regulator_adapter.mapping.shanghai.record_view import CERTIFICATE
from simulators.supervision.console.masking import mask_certificate
from simulators.supervision.crypto import sm3_upper
from tests.builders import events as b
from tests.unit.regulator_adapter.mapped import RING, all_records
from tests.unit.supervision_platform.at_the_console import ORDER, send_a_visit, signed_in
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.tianjin_records import PATIENT

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DIGEST = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def numbers_like(number: str) -> Iterator[str]:
    """Every number that looks the same with its stars, for somebody who even knows the district and the year of birth."""
    shown = mask_certificate(number)
    for month, day, serial in itertools.product(range(1, 13), range(1, 32), range(int(shown[-2]), 1000, 10)):
        body = f"{number[:10]}{month:02d}{day:02d}{serial:03d}"
        check = "10X98765432"[sum(int(one) * weight for one, weight in zip(body, WEIGHTS, strict=True)) % 11]
        if (body + check)[:3] == shown[:3] and (body + check)[-2:] == shown[-2:]:
            yield body + check


def found_by_trying(text: str, number: str, *known: str) -> bool:
    """Whether a digest in `text` is of a number that looks like this one, or of a known text with such a number in it."""
    digests = {one.lower() for one in DIGEST.findall(text)}
    for guess in numbers_like(number):
        for whole in (guess, *(one.replace(number, guess) for one in known)):
            data = whole.encode()
            if hashlib.sha256(data).hexdigest() in digests or (
                whole == guess and sm3_upper(data).lower() in digests
            ):
                return True
    return False


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    hospital = send_a_visit(shanghai)
    shanghai.send("uploadRecordView", [hospital.viewed(patientCertHash=plain(PATIENT))])
    with signed_in(shanghai) as client:
        yield client


def plain(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_plain_digest_gives_the_number_back() -> None:
    assert PATIENT in set(numbers_like(PATIENT))
    assert found_by_trying(f"x {plain(PATIENT)} x", PATIENT)
    assert found_by_trying(plain(f"a {PATIENT} b"), PATIENT, f"a {PATIENT} b")


def test_what_the_hospital_reports_about_a_look_gives_no_number_back() -> None:
    envelopes = b.Feed().envelopes(b.one_of_each())
    views = [one for _, stop, one, _ in all_records(envelopes) if stop.method == "uploadRecordView"]

    for view in views:
        assert not found_by_trying(view["patientCertHash"], b.PATIENT.id_number)
        assert len(view["patientCertHash"]) == 64
    assert RING.index("1", CERTIFICATE) != RING.index("1", "another field")


def test_the_masked_pages_give_no_number_back(browser: httpx.Client, shanghai: Platform) -> None:
    last = shanghai.stored()[-1]["id"]
    pages = ["/visits/V-1", "/visits/V-1/replay", *(f"/records/{one}" for one in range(1, last + 1))]

    assert not found_by_trying("\n".join(browser.get(path).text for path in pages), PATIENT)


def test_a_masked_bundle_gives_no_number_back_even_to_who_knows_all_the_rest(
    browser: httpx.Client, shanghai: Platform
) -> None:
    data = browser.post("/visits/V-1/evidence", data=ORDER).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = "\n".join(archive.read(name).decode() for name in archive.namelist())
    stored = [json.dumps(row["body"], ensure_ascii=False, separators=(",", ":")) for row in shanghai.stored()]
    named = next(one for one in stored if PATIENT in one)
    assert found_by_trying(plain(named), PATIENT, named)

    assert not found_by_trying(text, PATIENT, *stored)
