"""The bytes of an exchange: charsets as they are declared, escaped or CDATA, faults."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from front_gateway.dialects.soap.envelope import Fault, decoded, envelope, taken_out
from front_gateway.dialects.soap.hospital_profile import read_profile
from front_gateway.dialects.soap.trees import Maker, Unreadable, read
from tests.unit.gateway.soap import envelope as answer

WIRE = read_profile(None).wire
RARE = "𠮷䶮·阿依古丽 <&\"'> ]]>"
"""𠮷 and 䶮 are in GB18030, not in GBK; the rest is what breaks strings put together by hand."""


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030"])
@pytest.mark.parametrize("cdata", [False, True])
@pytest.mark.parametrize("in_header", [False, True])
def test_a_request_is_read_again_in_every_charset(charset: str, cdata: bool, in_header: bool) -> None:
    wire = msgspec.structs.replace(WIRE, charset=charset, cdata=cdata)
    request = Maker("Request")
    request.add("Name", RARE)

    raw = envelope(wire, request.text(), "")

    text = decoded(raw, f"text/xml; charset={charset}" if in_header else "text/xml")
    assert read(read(text).text_at("Body/Exchange/requestXml")).text_at("Name") == RARE
    assert (b"<![CDATA[" in raw) == cdata


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_name_survives_gbk(name: str) -> None:
    request = Maker("Request")
    request.add("Name", name)

    raw = envelope(msgspec.structs.replace(WIRE, charset="gbk"), request.text(), "")

    text = decoded(raw, "text/xml; charset=GBK")
    assert read(read(text).text_at("Body/Exchange/requestXml")).all("Name")[0].text == name


def test_a_hospital_that_wants_the_head_apart_gets_two_strings() -> None:
    wire = msgspec.structs.replace(WIRE, head="headXml")

    call = read(decoded(envelope(wire, "<Body/>", "<Head/>"), "")).all("Body/Exchange")[0]

    assert [(one.name, one.text) for one in call.children] == [
        ("headXml", "<Head/>"),
        ("requestXml", "<Body/>"),
    ]


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ("<r>陈</r>".encode(), "text/xml"),
        ("\ufeff<r>陈</r>".encode(), "text/xml; charset=UTF-8"),
        ('<?xml version="1.0" encoding="GB2312"?><r>陈</r>'.encode("gbk"), "text/xml"),
        ('<?xml version="1.0" encoding="utf-8"?><r>陈</r>'.encode("gbk"), 'text/xml; charset="GBK"'),
    ],
)
def test_the_header_says_the_charset_then_the_declaration_then_utf_8(raw: bytes, content_type: str) -> None:
    assert read(decoded(raw, content_type)).text == "陈"


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ("<r>陈</r>".encode("gbk"), "text/xml; charset=utf-8"),
        (b"<r/>", "text/xml; charset=utf-7"),
        (b"<r/>", "text/xml; charset=nonsense"),
        ("<r/>".encode("utf-16"), "text/xml"),
    ],
)
def test_what_is_not_in_its_charset_is_refused(raw: bytes, content_type: str) -> None:
    with pytest.raises(Unreadable):
        decoded(raw, content_type)


def test_a_declaration_inside_the_string_counts_for_nothing() -> None:
    inner = '<?xml version="1.0" encoding="GBK"?>\n<Response><a>陈</a></Response>'

    assert taken_out(WIRE, answer(inner), "text/xml; charset=utf-8").text_at("a") == "陈"


def test_xml_where_a_string_of_it_was_agreed_is_read_too() -> None:
    raw = answer("@").replace(b"@", "<Response xmlns=''><a>陈</a></Response>".encode())

    assert taken_out(WIRE, raw, "text/xml").text_at("a") == "陈"


FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:%s</faultcode>'
    b"<faultstring>NullReferenceException</faultstring></s:Fault></s:Body></s:Envelope>"
)


@pytest.mark.parametrize(("code", "client"), [(b"Server", False), (b"Client.Authentication", True)])
def test_a_fault_is_raised_with_its_text(code: bytes, client: bool) -> None:
    with pytest.raises(Fault) as caught:
        taken_out(WIRE, FAULT % code, "text/xml")

    assert (caught.value.said, caught.value.client) == ("NullReferenceException", client)


@pytest.mark.parametrize(
    "raw",
    [
        b"<html><body>404</body></html>",
        b"<Envelope/>",
        b"<Envelope><Body/></Envelope>",
        answer("<Response/>").replace(b"ExchangeResponse", b"OtherResponse"),
        answer("<Response/>").replace(b"ExchangeResult", b"Return"),
        answer(""),
        answer("成功"),
        answer('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'),
    ],
)
def test_what_is_no_answer_of_the_method_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        taken_out(WIRE, raw, "text/xml")
