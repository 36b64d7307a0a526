"""Pages by typst: canonical content in, PDF out. Blocking: for a thread of its own.

Nothing of the machine goes in: the font is the one beside this file, no system font is asked, no package is fetched, and
a character that the font cannot draw is refused instead of becoming an empty box on a signed sheet.
"""

import asyncio
import functools
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock

import typst

HERE = Path(__file__).parent
FONT = HERE / "fonts" / "NotoSansCJKsc-GBK.otf"
_ONE_AT_A_TIME = Lock()


class CannotDrawError(Exception):
    """The sheet cannot be set; the words say why."""


@functools.cache
def _compiler() -> typst.Compiler:
    """One for the process: it keeps the font (5 MB) and typst's own caches."""
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONT.parent)]
    )
    return typst.Compiler(root=str(HERE / "templates"), font_paths=fonts, ignore_system_fonts=True)


def pdf(template: str, content: bytes, words: Mapping[str, str], at: datetime) -> bytes:
    """PDF/A-3 of `templates/<template>.typ`, dated `at`; `content` is canonical JSON and is attached, `words` are for display."""
    inputs = {"content": content.decode(), "words": json.dumps(dict(words), ensure_ascii=False)}
    return _compiled(template, inputs, at)


def stamp(name: str, at: str) -> bytes:
    """A small page: what stands in a signature field."""
    return _compiled("stamp", {"words": json.dumps({"name": name, "at": at}, ensure_ascii=False)}, None)


def _compiled(template: str, inputs: dict[str, str], at: datetime | None) -> bytes:
    try:
        with _ONE_AT_A_TIME:
            made = _compiler().compile(
                str(HERE / "templates" / f"{template}.typ"), format="pdf", sys_inputs=inputs,
                pdf_standards=["a-3b"] if at else [], timestamp=at.replace(microsecond=0) if at else None,
            )  # fmt: skip
    except typst.TypstError as error:
        raise CannotDrawError(error.message) from error
    assert isinstance(made, bytes)
    return made


async def in_thread(template: str, content: bytes, words: Mapping[str, str], at: datetime) -> bytes:
    """`pdf` beside the event loop."""
    return await asyncio.to_thread(pdf, template, content, words, at)
