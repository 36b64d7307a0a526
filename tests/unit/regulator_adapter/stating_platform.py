"""A platform that answers `exchangeDay`: with the hospital's own figures, with others, sealed by whoever the test says."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from foundation.canonical import canonical
from regulator_adapter.days.seals import Signer
from tests.builders import seals
from tests.unit.regulator_adapter import fake_platform as fake

Document = dict[str, Any]


def agreeing(document: Document) -> None:
    """As it was stated."""
    del document["carriedOver"], document["others"]


def stating(change: Callable[[Document], None] = agreeing, signer: Signer | None = None) -> fake.Answer:
    """Answers every record with a receipt and every day with a statement."""

    async def answer(request: fake.Request) -> web.Response:
        if request.method == "explainDay":
            return fake.inner(200, "操作成功", lines=[], more=False)
        if request.method != "exchangeDay":
            return await fake.accept(request)
        document = json.loads(request.records[0]["statement"]) | {"by": "platform"}
        change(document)
        text = canonical(document).decode()
        seal = (signer or seals.platform()).seal(text.encode())
        return fake.inner(200, "操作成功", statement=text, seal=msgspec.to_builtins(seal))

    return answer
