"""The platform's half of a day: it believes a sealed statement of its hospital only, and states what it holds itself."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_pem_x509_certificate

from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.sender import ORGAN, UNIT, Platform
from tests.unit.supervision_platform.shanghai_records import Hospital

LONG_AGO = "2020-01-05T20:00:00+08:00"


class Sealer:
    """The hospital's key as the interface's description has it."""

    def __init__(self, certificate: Any, key: Any) -> None:
        self.pem = certificate.read_text()
        self.key = serialization.load_pem_private_key(key.read_bytes(), None)

    def seal(self, text: str) -> dict[str, str]:
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        value = base64.b64encode(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))).decode()
        return {"algorithm": "ecdsa-p256-sha256", "certificate": self.pem, "value": value}


@pytest.fixture
def hospital_seal(tls: certificates.Files) -> Sealer:
    return Sealer(tls.client, tls.client_key)


def the_day(platform: Platform) -> str:
    """Of the records that the hospital sent."""
    return min(str(one["body"]["occurredAt"])[:10] for one in platform.stored())


def asked(day: str, **changes: Any) -> str:
    told = {"day": day, "through": 3, "depth": 0, "supplement": 0, "organID": ORGAN, "unitID": UNIT} | changes
    return json.dumps(told, sort_keys=True)


def told_three(platform: Platform) -> str:
    hospital = Hospital()
    platform.send("uploadBooking", [hospital.booked("V-1", LONG_AGO, bookingNo=f"N-{at}") for at in range(3)])
    return the_day(platform)


def exchange(platform: Platform, text: str, seal: Any) -> dict[str, Any]:
    answer = platform.send("exchangeDay", [{"statement": text, "seal": seal}])
    assert answer["code"] == 200, answer
    return dict(answer["body"])


def test_it_states_what_it_holds_and_seals_it(
    shanghai: Platform, hospital_seal: Sealer, tls: certificates.Files
) -> None:
    day = told_three(shanghai)

    body = exchange(shanghai, asked(day), hospital_seal.seal(asked(day)))

    stated = json.loads(body["statement"])
    assert (stated["by"], stated["events"], stated["methods"]) == ("platform", 3, {"uploadBooking": 3})
    assert list(stated["parts"]) == [""]
    assert stated["agreed"] is False  # nothing was said of records
    key = load_pem_x509_certificate(body["seal"]["certificate"].encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(body["seal"]["value"]), body["statement"].encode(), ec.ECDSA(hashes.SHA256()))
    assert body["seal"]["certificate"] == tls.server.read_text()


def test_streams_fold_as_the_description_says(shanghai: Platform, hospital_seal: Sealer) -> None:
    day = told_three(shanghai)
    head = bytes(32)
    for one in shanghai.stored():
        record = one["body"]
        place = int(record["hospitalSeq"]).to_bytes(8, "big") + bytes.fromhex(record["eventDigest"])
        head = hashlib.sha256(head + place + f"uploadBooking\0{one['receipt']}".encode()).digest()
    stream = shanghai.stored()[0]["body"]["stream"]
    expected = hashlib.sha256(f"{stream}\t3\t3\t{head.hex()}\n".encode()).hexdigest()

    body = exchange(shanghai, asked(day), hospital_seal.seal(asked(day)))

    assert json.loads(body["statement"])["parts"][""]["digest"] == expected


def test_each_line_of_a_part_is_explained_once(shanghai: Platform) -> None:
    day = told_three(shanghai)

    answer = shanghai.send("explainDay", [{"day": day, "through": 3, "part": "", "after": 1}])["body"]

    assert [line[3] for line in answer["lines"]] == [2, 3]
    assert answer["more"] is False


def test_a_statement_sealed_by_another_is_refused(shanghai: Platform, tls: certificates.Files) -> None:
    day = told_three(shanghai)
    other = Sealer(tls.server, tls.server_key)

    body = exchange(shanghai, asked(day), other.seal(asked(day)))

    assert (body["msgCode"], "seal" in body["msg"]) == (-1, True)


def test_a_statement_altered_after_sealing_is_refused(shanghai: Platform, hospital_seal: Sealer) -> None:
    day = told_three(shanghai)

    body = exchange(shanghai, asked(day, supplement=1), hospital_seal.seal(asked(day)))

    assert body["msgCode"] == -1
    assert "statement" not in body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unitID": "another"}, -1),
        ({"organID": "another"}, -1),
        ({"day": "2999-01-01"}, -1),
        ({"day": "gestern"}, -1),
        ({"depth": 3}, -1),
        ({"through": -1}, -1),
        ({"through": "3"}, -1),
    ],
)
def test_a_statement_that_cannot_be_is_refused(
    shanghai: Platform, hospital_seal: Sealer, changes: dict[str, Any], code: int
) -> None:
    text = asked(**({"day": "2020-01-05"} | changes))

    assert exchange(shanghai, text, hospital_seal.seal(text))["msgCode"] == code


@pytest.mark.parametrize("text", ["[]", "no json", "1"])
def test_what_is_no_statement_is_refused(shanghai: Platform, hospital_seal: Sealer, text: str) -> None:
    assert exchange(shanghai, text, hospital_seal.seal(text))["msgCode"] in (-1, -99)


def test_a_day_is_stated_in_the_profile_that_has_days_only(platform: Platform) -> None:
    answer = platform.send("exchangeDay", [{}])

    assert answer["code"] == 40006


def test_the_page_counts_a_days_records_by_interface(shanghai: Platform) -> None:
    day = told_three(shanghai)

    page = shanghai.client.get(f"{shanghai.console}/_test/days/{day}").json()

    assert page == {"shanghai": {"uploadBooking": 3}}
