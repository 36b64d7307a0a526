import httpx
import pytest

from backend.context import Context
from tests.builders.insuring import Insured, insured


@pytest.fixture
async def she(running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> Insured:
    """At the mock she is `o-patient`, an employee with 8 yuan in her account."""
    return await insured(running, api, wechat)
