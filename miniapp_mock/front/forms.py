"""What a user typed, kept for showing it again, and the way back to where she was."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request

from foundation.web.parsing import decode, read_body

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields of an urlencoded form, trimmed; of a repeated one the last. `Guard` has limited its size."""
    async with request.form(max_files=0, max_fields=100) as form:
        return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


async def read_json(request: Request) -> dict[str, Any]:
    """A JSON object sent by one of our scripts."""
    return decode(await read_body(request), dict[str, Any])


def local_path(value: str, default: str = "/") -> str:
    """A path of these pages that a browser may be sent to, whatever was asked for."""
    parts = urlsplit(value)
    fits = (
        value.startswith("/")
        and not value.startswith("//")
        and "\\" not in value
        and value.isprintable()
        and not parts.netloc
    )
    return value if fits else default


def path_id(request: Request, name: str) -> str:
    """An id in the path, as the API writes it; routes declare it as `uuid`, so that nothing else gets here."""
    return str(request.path_params[name])


def dump(value: Any) -> str:
    """JSON for a data attribute."""
    return msgspec.json.encode(value).decode()
