"""SOAP and the strings in it, by the standard library: one reader, one writer."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:hospital:exchange"
_PLACE = "@@THE-STRING@@"
Tree = dict[str, Any]
"""An element's content by name: a text, a Tree, or a list of those for repeated elements."""


class Malformed(Exception):
    """The message cannot be read; the text says why."""


def parse(text: str) -> ET.Element:
    """The root element, names without namespaces."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")

    def no_document_type(*_: object) -> None:
        raise Malformed("文档类型不被接受")

    def start(name: str, attributes: dict[str, str]) -> None:
        builder.start(name.rpartition(" ")[2], attributes)

    parser.StartDoctypeDeclHandler = no_document_type
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: builder.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(text, True)
    except expat.ExpatError as problem:
        raise Malformed(f"XML 格式错误：{problem}") from None
    return builder.close()


def decode(raw: bytes, content_type: str) -> str:
    """By the content type, else by the declaration, else UTF-8."""
    header = re.search(r"charset=\"?([\w-]+)", content_type)
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([\w-]+)", raw)
    charset = header[1] if header else declared[1].decode() if declared else "utf-8"
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        raise Malformed(f"不是 {charset} 编码") from None


def request_in(raw: bytes, content_type: str) -> ET.Element:
    """The root of the string in a request."""
    envelope = parse(decode(raw, content_type))
    string = envelope.find("Body/Exchange/requestXml")
    if envelope.tag != "Envelope" or string is None:
        raise Malformed("没有 Exchange 方法的调用")
    return parse((string.text or "").strip())


def answer_bytes(answer: ET.Element, charset: str, *, cdata: bool) -> bytes:
    """The envelope around an answer."""
    string = ET.tostring(answer, encoding="unicode")
    envelope = ET.Element(f"{{{SOAP}}}Envelope")
    response = ET.SubElement(ET.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{NAMESPACE}}}ExchangeResponse")
    ET.SubElement(response, f"{{{NAMESPACE}}}ExchangeResult").text = _PLACE if cdata else string
    return _bytes(envelope, charset, f"<![CDATA[{string}]]>")


def fault_bytes(said: str, *, client: bool = False) -> bytes:
    envelope = ET.Element(f"{{{SOAP}}}Envelope")
    fault = ET.SubElement(ET.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    ET.SubElement(fault, "faultcode").text = "soap:Client" if client else "soap:Server"
    ET.SubElement(fault, "faultstring").text = said
    return _bytes(envelope, "utf-8", "")


def _bytes(envelope: ET.Element, charset: str, string: str) -> bytes:
    text = ET.tostring(envelope, encoding="unicode").replace(_PLACE, string)
    return f'<?xml version="1.0" encoding="{charset}"?>\n{text}'.encode(charset, "xmlcharrefreplace")


def element(name: str, content: Any) -> ET.Element:
    """`content` as an element."""
    made = ET.Element(name)
    _fill(made, content)
    return made


def _fill(into: ET.Element, content: Any) -> None:
    if isinstance(content, Mapping):
        for name, part in content.items():
            for one in part if isinstance(part, list) else [part]:
                _fill(ET.SubElement(into, name), one)
    else:
        into.text = str(content)


def rename(root: ET.Element, names: Mapping[str, str]) -> ET.Element:
    """`root` with its elements called otherwise."""
    for one in root.iter():
        one.tag = names.get(one.tag, one.tag)
    return root


def wsdl(address: str) -> bytes:
    """WSDL 1.1, document/literal."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:tns="{NAMESPACE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}">
  <wsdl:types>
    <xsd:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">
      <xsd:element name="Exchange"><xsd:complexType><xsd:sequence>
        <xsd:element name="requestXml" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>
      <xsd:element name="ExchangeResponse"><xsd:complexType><xsd:sequence>
        <xsd:element name="ExchangeResult" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>
    </xsd:schema>
  </wsdl:types>
  <wsdl:message name="In"><wsdl:part name="parameters" element="tns:Exchange"/></wsdl:message>
  <wsdl:message name="Out"><wsdl:part name="parameters" element="tns:ExchangeResponse"/></wsdl:message>
  <wsdl:portType name="InternetHospital">
    <wsdl:operation name="Exchange"><wsdl:input message="tns:In"/><wsdl:output message="tns:Out"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="Soap" type="tns:InternetHospital">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Exchange">
      <soap:operation soapAction="{NAMESPACE}/Exchange" style="document"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="InternetHospital">
    <wsdl:port name="Soap" binding="tns:Soap"><soap:address location="{address}"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>
""".encode()
