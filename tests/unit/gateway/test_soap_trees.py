"""XML from a hospital that was broken into, or is only careless; and what we write, whatever is in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from front_gateway.dialects.soap.trees import MAX_DEPTH, MAX_NODES, Maker, Unreadable, Unwritable, read

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
REFUSED = {
    "billion laughs": (f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r>&l11;</r>', "a document type"),
    "laughs in an attribute": (f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r a="&l11;"/>', "a document type"),
    "one large entity": (
        f'<!DOCTYPE r [<!ENTITY l "{"x" * 100_000}">]><r>{"&l;" * 1000}</r>',
        "a document type",
    ),
    "a file": ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "a document type"),
    "an address": ('<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>', "a document type"),
    "a parameter entity": (
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]><r/>',
        "a document type",
    ),
    "a harmless document type": ("<!DOCTYPE r><r/>", "a document type"),
    "an entity nobody declared": ("<r>&x;</r>", "not well-formed"),
    "too deep": ("<r>" * (MAX_DEPTH + 1) + "</r>" * (MAX_DEPTH + 1), "nested too deeply"),
    "too deep and never closed": ("<r>" * 100_000, "nested too deeply"),
    "too many": (f"<r>{'<a/>' * MAX_NODES}</r>", "too many elements"),
    "an attribute of 11 MB": (f'<r a="{"x" * 11_000_000}"/>', "not well-formed"),
    "two roots": ("<a/><b/>", "not well-formed"),
    "cut off": ("<a><b>", "not well-formed"),
    "no XML": ("Internal error", "not well-formed"),
    "nothing": ("", "not well-formed"),
    "a character that is none": ("<a>\x00</a>", "not well-formed"),
    "half a character": ("<a>\ud800</a>", "not well-formed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_hurts_a_careless_reader_is_refused_at_once(name: str) -> None:
    text, why = REFUSED[name]
    began = time.process_time()

    with pytest.raises(Unreadable, match=why):
        read(text)

    assert time.process_time() - began < 20


def test_the_deepest_and_the_largest_that_are_taken() -> None:
    assert read("<r>" * MAX_DEPTH + "</r>" * MAX_DEPTH).name == "r"
    assert len(read(f"<r>{'<a/>' * (MAX_NODES - 1)}</r>").children) == MAX_NODES - 1


def test_names_lose_their_prefix_and_a_declaration_of_any_charset_is_skipped() -> None:
    text = '\ufeff<?xml version="1.0" encoding="GBK"?>\n<!-- x --><q:a xmlns:q="urn:q"><?p i?><q:b>中</q:b><b><![CDATA[<c>]]>!</b></q:a>'

    root = read(text)

    assert [one.text for one in root.all("b")] == ["中", "<c>!"]
    assert (root.name, root.text_at("b"), root.text_at("b/c"), root.text_at("none")) == ("a", "中", "", "")


XML_TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="".join(map(chr, [*range(32), 0xFFFE, 0xFFFF]))
    )
)


@given(XML_TEXT, st.booleans())
def test_what_is_written_is_read_again_whatever_it_is(text: str, cdata: bool) -> None:
    inner = Maker("Request")
    inner.add("Body/Name", text)
    outer = Maker("Envelope", "urn:o", prefix="o")
    outer.add("string", inner.text(), namespace="urn:o", cdata=cdata)

    again = read(read(outer.text()).all("string")[0].text)

    assert [one.text for one in again.all("Body/Name")] == [text]
    assert len(again.children) == 1


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "\ufffe", "\ud800"])
def test_a_value_that_no_xml_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Unwritable):
        Maker("r").add("a", text)


def test_repeated_elements_lie_under_one() -> None:
    made = Maker("r")
    for name in ("1", "2"):
        made.add("list/item").add("no", name)

    assert made.text() == "<r><list><item><no>1</no></item><item><no>2</no></item></list></r>"
