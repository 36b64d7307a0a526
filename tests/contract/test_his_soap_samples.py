"""The written exchanges with a SOAP hospital, through the dialect and through the simulated hospital."""

import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from aiohttp import web

from front_gateway.policy.reading import DEFAULT, read_policy
from front_gateway.settings import HisDialect
from front_gateway.speaking import speaker
from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.hospitals import new_request
from tests.contract.soap_hospital import soap
from tests.unit.gateway.background import Running, Seen
from tests.unit.gateway.background import gateway as in_background

SAMPLES = Path(__file__).parent / "samples" / "his_soap"
CASES = sorted(SAMPLES.glob("*/*-request.xml"))
ANY = "$any"
PATH = "/services/InternetHospital"
CHARGE = SAMPLES.parent / "his" / "write-charge" / "1-registration-fee-request.json"
OUTER = "0199a000-0000-7000-8000-0000000000f1"
Tree = tuple[str, str, tuple[Any, ...]]


def tree(element: ET.Element) -> Tree:
    """Name, text, what is in it."""
    return element.tag.rpartition("}")[2], (element.text or "").strip(), tuple(tree(one) for one in element)


def unlike(written: Tree, said: Tree, place: str = "") -> Iterator[str]:
    """Where they differ."""
    here = f"{place}/{written[0]}"
    if (
        written[0] != said[0]
        or (written[1] != said[1] and written[1] != ANY)
        or (written[1] == ANY and not said[1])
    ):
        yield f"{here}: {said[:2]}"
    if len(written[2]) != len(said[2]):
        yield f"{here}: {[one[0] for one in said[2]]}"
    for one, other in zip(written[2], said[2], strict=False):
        yield from unlike(one, other, here)


def response_of(request: Path) -> Path:
    [found] = request.parent.glob(request.name.replace("-request.xml", "-response-*.xml"))
    return found


def string_in(raw: bytes) -> ET.Element:
    """The root of the one string in an envelope."""
    texts = [
        one.text for one in ET.fromstring(raw).iter() if one.tag.endswith(("requestXml", "ExchangeResult"))
    ]
    return ET.fromstring(str(texts[0]))


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[httpx.Client]:
    with (
        soap(tmp_path_factory.mktemp("soap"), certificates) as up,
        httpx.Client(base_url=up.url, verify=hospitals.identity(certificates, "gateway-a")) as client,
    ):
        yield client


def exchange(hospital: httpx.Client, request: str) -> ET.Element:
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Exchange xmlns="urn:hospital:exchange">'
        f"<requestXml>{html.escape(request)}</requestXml></Exchange></e:Body></e:Envelope>"
    )
    headers = {"content-type": "text/xml; charset=utf-8", "soapaction": '"urn:hospital:exchange/Exchange"'}
    return string_in(hospital.post(PATH, content=body.encode(), headers=headers).content)


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name[:-12]}")
def test_the_hospital_answers_as_written(hospital: httpx.Client, case: Path) -> None:
    request = case.read_text(encoding="utf-8")
    if case.name.startswith(("2-exists", "2-a-charge")):
        exchange(hospital, (SAMPLES / "5101-charge" / "1-done-request.xml").read_text(encoding="utf-8"))
        fresh = OUTER
    else:
        fresh = new_request()
    expected = response_of(case).read_text(encoding="utf-8").replace(OUTER, fresh)

    said = exchange(hospital, request.replace(OUTER, fresh))

    assert list(unlike(tree(ET.fromstring(expected)), tree(said))) == []


Spoken = tuple[Running, Callable[..., httpx.Response]]


@pytest.fixture
def spoken(certificates: Certificates, tmp_path: Path) -> Iterator[Spoken]:
    """A gateway that speaks SOAP to a hospital whose answers are the samples, and a way to ask it."""
    with in_background(
        read_policy(DEFAULT), certificates, tmp_path, his_base="", speaks=speaker(HisDialect.SOAP, None)
    ) as up:
        url = f"https://127.0.0.1:{up.port}"

        def ask(operation: str, **body: Any) -> httpx.Response:
            name = "backend-worker" if operation.startswith("write-") else "backend-api"
            return httpx.post(
                f"{url}/his/v1/{operation}",
                json=body,
                verify=hospitals.identity(certificates, name),
                timeout=20,
            )

        yield up, ask


def answering(up: Running, *cases: str) -> None:
    """Answer each trade with its sample; what is asked must be the sample's request, `$any` apart."""
    by_trade = {case[:4]: SAMPLES / f"{case}-request.xml" for case in cases}

    def answer(seen: Seen) -> web.Response:
        asked = string_in(seen.body)
        case = by_trade[asked.findtext("Head/TradeCode") or ""]
        differences = list(unlike(tree(ET.fromstring(case.read_text(encoding="utf-8"))), tree(asked)))
        if differences:
            return web.Response(status=400, text="; ".join(differences))
        said = ET.fromstring(response_of(case).read_text(encoding="utf-8"))
        for name, value in (
            ("MessageId", asked.findtext("Head/MessageId")),
            ("RecordNo", "SF1"),
            ("RecordTime", "2026-11-23 09:00:00"),
        ):
            for one in said.iter(name):
                one.text = value
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><ExchangeResponse>'
            f"<ExchangeResult>{html.escape(ET.tostring(said, encoding='unicode'))}</ExchangeResult></ExchangeResponse></e:Body></e:Envelope>"
        )
        return web.Response(text=envelope, content_type="text/xml")

    up.hospital.answers[f"POST {PATH}"] = answer


@pytest.mark.parametrize(
    ("case", "number", "name", "found", "merged"),
    [
        ("1-known", "310114195809199069", "周桂珍", "P0000001", []),
        ("2-merged", "310114196103269306", "朱玉华", "P0000015", ["P9000015"]),
        ("3-nobody", "310114199001010018", "无此人", None, []),
    ],
)
def test_the_dialect_finds_a_patient_as_written(
    spoken: Spoken, case: str, number: str, name: str, found: str | None, merged: list[str]
) -> None:
    up, ask = spoken
    answering(up, f"1001-find-by-card/{case}")

    reply = ask("find-patient", purpose="eligibility", id_number=number, name=name)

    patient = reply.json()["patient"]
    assert (patient and patient["patient_id"], patient["merged_ids"] if patient else []) == (found, merged), (
        reply.text
    )


def test_the_dialect_reads_visits_as_written(spoken: Spoken) -> None:
    up, ask = spoken
    person = ("1002-find-by-number/2-of-the-inpatient", "1001-find-by-card/5-of-the-inpatient")
    answering(up, *person, "2001-visits/1-inpatient")

    reply = ask("visits", purpose="eligibility", patient_id="P0000014", since="2026-01-01")

    [visit] = reply.json()["visits"]
    assert (visit["kind"], visit["day"], visit["diagnoses"][0]["code"]) == (
        "inpatient",
        "2026-11-10",
        "J44.900",
    )


def test_the_dialect_writes_a_charge_as_written(spoken: Spoken) -> None:
    up, ask = spoken
    person = ("1002-find-by-number/1-of-the-charge", "1001-find-by-card/4-of-the-charge")
    answering(up, *person, "9001-written/1-nothing", "5101-charge/1-done")
    body = {**json.loads(CHARGE.read_text(encoding="utf-8")), "patient_id": "P0000201", "request_id": OUTER}

    reply = ask("write-charge", **body)

    assert reply.json() == {
        "reference": "Invoice/SF1",
        "at": "2026-11-23T01:00:00Z",
        "also": [],
        "left_out": [],
    }
    answering(up, *person, "9001-written/2-a-charge")
    assert ask("write-charge", **body).json() == reply.json()
