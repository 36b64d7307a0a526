"""SOAP 1.1 around one XML string (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/), and the bytes of it."""

import codecs
import re

from front_gateway.call import Headers
from front_gateway.dialects.soap.hospital_profile import Wire
from front_gateway.dialects.soap.trees import Maker, Node, Unreadable, read

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_IN_HEADER = re.compile(r"""charset\s*=\s*"?([A-Za-z0-9._-]+)""", re.IGNORECASE)
_CHINESE = frozenset({"gbk", "gb2312", "gb18030"})
_TAKEN = frozenset({"utf-8", "ascii"}) | _CHINESE


class Fault(Exception):
    """The hospital answered with a SOAP fault; `said` is its text, `client` whether it blames the message."""

    def __init__(self, said: str, *, client: bool) -> None:
        super().__init__(said)
        self.said = said
        self.client = client


def envelope(wire: Wire, request: str, head: str) -> bytes:
    """The request's bytes in the hospital's charset. A character outside it becomes a reference, which XML reads as itself."""
    made = Maker("Envelope", SOAP, prefix="soap")
    call = made.add("Body", namespace=SOAP).add(wire.method, namespace=wire.namespace)
    if wire.head:
        call.add(wire.head, head, namespace=wire.namespace, cdata=wire.cdata)
    call.add(wire.request, request, namespace=wire.namespace, cdata=wire.cdata)
    text = f'<?xml version="1.0" encoding="{wire.charset}"?>{made.text()}'
    return text.encode(wire.charset, "xmlcharrefreplace")


def headers(wire: Wire) -> Headers:
    """What goes with it."""
    return (
        ("content-type", f"text/xml; charset={wire.charset}"),
        ("accept", "text/xml"),
        ("soapaction", f'"{wire.soap_action}"'),
    )


def taken_out(wire: Wire, raw: bytes, content_type: str) -> Node:
    """The root of the string inside an answer. `Fault`, and `Unreadable` for what is no such answer."""
    root = read(decoded(raw, content_type))
    bodies = root.all("Body") if root.name == "Envelope" else []
    if not bodies or not bodies[0].children:
        raise Unreadable("no SOAP envelope")
    answer = bodies[0].children[0]
    if answer.name == "Fault":
        code = answer.text_at("faultcode").rpartition(":")[2]
        raise Fault(answer.text_at("faultstring")[:200], client=code.startswith("Client"))
    results = answer.all(wire.result)
    if answer.name != f"{wire.method}Response" or not results:
        raise Unreadable("an answer to another method")
    if results[0].children:  # seen at hospitals: the XML itself where a string of it was agreed
        return results[0].children[0]
    return read(results[0].text.strip())


def decoded(raw: bytes, content_type: str) -> str:
    """`raw` as text: by the header's charset, else the declaration's, else UTF-8. `Unreadable` when it is not in it."""
    in_header, declared = _IN_HEADER.search(content_type), _DECLARED.match(raw)
    said = in_header[1] if in_header else declared[1].decode("ascii") if declared else "utf-8"
    try:
        charset = codecs.lookup(said).name
    except LookupError:
        charset = ""
    if charset not in _TAKEN:
        raise Unreadable("a charset that is not taken")
    try:
        return raw.decode("gb18030" if charset in _CHINESE else "utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"not in {charset}") from None
