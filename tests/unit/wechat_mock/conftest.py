import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background
from miniapp_mock.wechat.settings import Reader
from tests.unit.wechat_mock.merchant import PUBLIC_KEY_ID, Merchant, private_key, serial_of
from tests.unit.wechat_mock.receiver import Receiver, receiving
from tests.unit.wechat_mock.settings_of_a_mock import make_environment, make_keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture
def kind() -> str:
    """Of the merchant; a test may choose another."""
    return "new"


@pytest.fixture
def environment(keys: Path, tmp_path: Path, kind: str) -> dict[str, str]:
    """For a mock of one's own."""
    return make_environment(keys, tmp_path, kind)


@pytest.fixture(scope="session")
def mocks(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The address of the running mock for a kind of merchant, started when first asked for."""
    addresses: dict[str, str] = {}
    with contextlib.ExitStack() as stack:

        def address(kind: str) -> str:
            if kind not in addresses:
                environment = make_environment(keys, tmp_path_factory.mktemp(kind), kind)
                app = create_app(Mock.from_environment(Reader(environment)))
                addresses[kind] = stack.enter_context(in_background(app))
            return addresses[kind]

        yield address


@pytest.fixture
def base(mocks: Callable[[str], str], kind: str) -> str:
    """Of a mock that remembers nothing."""
    address = mocks(kind)
    assert httpx.post(f"{address}/_test/forget", trust_env=False, verify=False).status_code == 204
    return address


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=False, timeout=20) as client:
        yield client


@pytest.fixture
def wechat(base: str) -> Iterator[httpx.Client]:
    """Anybody who talks to the mock without a signature; follows no redirects, keeps cookies."""
    with httpx.Client(base_url=base, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def notify() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def merchant(base: str, keys: Path, notify: Receiver, kind: str, http: httpx.Client) -> Merchant:
    known = {
        PUBLIC_KEY_ID: private_key(keys / "wechat.key").public_key(),
        serial_of(keys / "platform.pem"): private_key(keys / "platform.key").public_key(),
    }
    return Merchant(
        base=base,
        http=http,
        key=private_key(keys / "merchant.key"),
        serial=serial_of(keys / "merchant.pem"),
        known=known,
        notify_url=notify.url,
        names_key=None if kind == "old" else PUBLIC_KEY_ID,
    )
