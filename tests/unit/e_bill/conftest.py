import httpx
import pytest

from backend.context import Context
from tests.builders.insuring import Insured, insured


@pytest.fixture
async def she(running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> Insured:
    """With the open bill of a visit of 50 yuan."""
    return await insured(running, api, wechat)


@pytest.fixture
async def paid(she: Insured) -> Insured:
    """By insurance and cash."""
    await she.pays()
    assert (await she.refresh())["state"] == "confirmed"
    return she
