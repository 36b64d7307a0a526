"""Whose signature our client believes: public keys, fetched certificates, both at once, and none that it does not know."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.outside.wechat_pay import UserCard, WeChatPay
from backend.outside.wechat_pay_crypto import NotWeChat, UnknownKey
from backend.outside.wechat_pay_troubles import NotBelieved
from foundation.errors import Unavailable
from tests.builders.paying import Noted, client_of
from tests.contract.test_wechat_pay_client import ordered, paid, refunded
from tests.database import SharedClock, moves_on
from tests.town import Town
from tests.unit.wechat_mock.merchant import PUBLIC_KEY_ID, serial_of
from tests.unit.wechat_mock.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio

Made = Callable[..., WeChatPay]


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
async def made(
    town: Town, clock: SharedClock, wechat: httpx.AsyncClient, noted: Noted
) -> AsyncIterator[Made]:
    """Clients of this merchant; closed at the end."""
    clients: list[WeChatPay] = []

    def make(**more: Any) -> WeChatPay:
        clients.append(client_of(town.keys, clock, town.wechat, watch=noted, **more))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


async def keys_of(wechat: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = (await wechat.get("/_test/keys")).json()
    return found


async def test_in_certificate_mode_the_certificates_are_fetched_before_the_first_call(
    made: Made, town: Town, wechat: httpx.AsyncClient
) -> None:
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)

    await paid(pay, wechat)

    found = await pay.query("IH000001")
    assert found is not None
    assert found.trade_state == "SUCCESS"
    assert [one.serial for one in pay.signed.keys.certificates.values()] == [
        serial_of(town.keys / "platform.pem")
    ]


async def test_a_merchant_without_certificates_is_told_to_use_the_public_key(
    made: Made, noted: Noted
) -> None:
    pay = made(by_certificate=True)

    with pytest.raises(NotBelieved):
        await pay.query("IH000001")
    assert "公钥模式" in noted.open["wechat_pay_no_certificate"]


async def test_certificates_that_were_sealed_for_somebody_else_are_not_taken(made: Made, town: Town) -> None:
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)
    merchant = pay.signed.exchange.merchant
    object.__setattr__(merchant, "apiv3_key", b"x" * 32)

    with pytest.raises(NotBelieved):
        await pay.query("IH000001")
    assert pay.signed.keys.certificates == {}


async def test_a_certificate_that_changes_in_mid_run_is_fetched_and_the_old_one_still_counts(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver, clock: SharedClock
) -> None:
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)
    await paid(pay, wechat, "IH000001", notify=receiver.url)
    signed_by_the_old = receiver.wait(1)[0]
    moves_on(clock, seconds=90)

    town.wechat_faults(merchant_kind="old", rotated_key=True)
    found = await pay.query("IH000001")

    assert found is not None
    assert len(pay.signed.keys.certificates) == 2
    await pay.open_notification(*signed_by_the_old)
    await paid(pay, wechat, "IH000002", notify=receiver.url)
    signed_by_the_new = receiver.wait(2)[1]
    assert signed_by_the_new[0]["wechatpay-serial"] != signed_by_the_old[0]["wechatpay-serial"]
    await pay.open_notification(*signed_by_the_new)


async def test_a_notification_with_a_new_certificate_makes_us_fetch_it(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver, clock: SharedClock
) -> None:
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)
    invoked = pay.invoke(await ordered(pay, notify=receiver.url))
    moves_on(clock, seconds=90)
    town.wechat_faults(merchant_kind="old", rotated_key=True)
    await wechat.post("/phone/o-patient/pay", json=invoked)

    notification, _ = await pay.open_notification(*receiver.wait(1)[0])

    assert notification.event_type == "TRANSACTION.SUCCESS"


async def test_strange_serials_do_not_make_us_fetch_at_every_request(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver, clock: SharedClock
) -> None:
    """Anybody can post one."""
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)
    await paid(pay, wechat, notify=receiver.url)
    headers, body = receiver.wait(1)[0]
    fetched: list[str] = []
    host = pay.signed.exchange.hosts[0]
    host.event_hooks["request"].append(lambda request: _noted(fetched, request))

    for number in range(20):
        with pytest.raises(UnknownKey):
            await pay.open_notification(headers | {"wechatpay-serial": f"{number:040X}"}, body)
    with pytest.raises(UnknownKey):
        await pay.open_notification(headers | {"wechatpay-serial": "../" * 30}, body)
    moves_on(clock, seconds=61)
    with pytest.raises(UnknownKey):
        await pay.open_notification(headers | {"wechatpay-serial": "ABC"}, body)

    assert len(fetched) == 1


async def _noted(fetched: list[str], request: httpx.Request) -> None:
    fetched.append(request.url.path)


async def test_certificates_are_fetched_again_after_half_a_day_and_an_outage_then_does_no_harm(
    made: Made, town: Town, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    town.wechat_faults(merchant_kind="old")
    pay = made(by_certificate=True)
    await ordered(pay)
    moves_on(clock, hours=13)
    town.wechat_faults(merchant_kind="old", server_error=True, only_path="/v3/certificates")

    assert await pay.query("IH000001") is not None


async def test_a_merchant_who_is_moved_over_believes_certificates_and_public_key_alike(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver
) -> None:
    """During the move, notifications change to the public key by and by, whatever the merchant does."""
    pay = made()
    serials = set()
    for number, share in enumerate((0.0, 1.0)):
        town.wechat_faults(merchant_kind="migrating", public_key_share=share)
        await paid(pay, wechat, f"IH00000{number}", notify=receiver.url)
        received = receiver.wait(number + 1)[number]
        serials.add(received[0]["wechatpay-serial"][:11])
        await pay.open_notification(*received)

    assert "PUB_KEY_ID_" in serials
    assert len(serials) == 2


async def test_a_new_public_key_counts_from_the_moment_its_file_is_there(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver, noted: Noted, tmp_path: Path
) -> None:
    """It cannot be fetched: a person takes it from the merchant's platform. Until then WeChat Pay repeats itself."""
    pay = made(folder=tmp_path)
    town.wechat_faults(rotated_key=True)
    await paid(pay, wechat, notify=receiver.url)
    received = receiver.wait(1)[0]

    with pytest.raises(UnknownKey):
        await pay.open_notification(*received)
    assert "公钥目录" in noted.open["wechat_pay_unknown_key"]
    ((serial, pem),) = (await keys_of(wechat))["successors"].items()
    (tmp_path / f"{serial}.pem").write_text(pem, encoding="ascii")

    await pay.open_notification(*received)
    assert noted.open == {}
    assert (
        await pay.query("IH000001") is not None
    )  # answered with the key that our request names: the old one


async def test_a_broken_file_in_the_folder_of_keys_is_passed_over(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver, tmp_path: Path
) -> None:
    pay = made(folder=tmp_path)
    town.wechat_faults(rotated_key=True)
    await paid(pay, wechat, notify=receiver.url)
    ((serial, _),) = (await keys_of(wechat))["successors"].items()
    (tmp_path / f"{serial}.pem").write_text("nonsense", encoding="ascii")

    with pytest.raises(UnknownKey):
        await pay.open_notification(*receiver.wait(1)[0])


async def test_a_forged_notification_is_refused_though_it_names_our_key(
    made: Made, town: Town, wechat: httpx.AsyncClient, receiver: Receiver
) -> None:
    pay = made()
    town.wechat_faults(forge_notifications=True)
    await paid(pay, wechat, notify=receiver.url)
    forged, true = receiver.wait(2)[:2]

    with pytest.raises(NotWeChat, match="wrong signature"):
        await pay.open_notification(*forged)
    await pay.open_notification(*true)


@pytest.mark.parametrize("by_certificate", [False, True])
async def test_an_abnormal_refund_goes_to_a_card_whose_number_only_wechat_pay_reads(
    made: Made, town: Town, wechat: httpx.AsyncClient, clock: SharedClock, by_certificate: bool
) -> None:
    kind = {"merchant_kind": "old" if by_certificate else "new"}
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0, **kind)
    pay = made(by_certificate=by_certificate)
    await paid(pay, wechat)
    asked = await refunded(pay)
    moves_on(clock, seconds=1)
    abnormal = await pay.query_refund("RF-1")
    assert abnormal is not None
    assert abnormal.status == "ABNORMAL"

    card = UserCard("ICBC_DEBIT", "6200000000000009999", "林秀兰")
    again = await pay.redirect_refund(refund_id=asked.refund_id, out_refund_no="RF-1", card=card)

    assert again.status == "PROCESSING"
    moves_on(clock, seconds=2)
    done = await pay.query_refund("RF-1")
    assert done is not None
    assert (done.status, done.refund_id) == ("SUCCESS", asked.refund_id)


async def test_an_abnormal_refund_may_come_to_the_hospitals_own_account(
    made: Made, town: Town, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0)
    pay = made()
    await paid(pay, wechat)
    asked = await refunded(pay)
    moves_on(clock, seconds=1)
    await pay.query_refund("RF-1")

    again = await pay.redirect_refund(refund_id=asked.refund_id, out_refund_no="RF-1", card=None)

    assert (again.status, again.user_received_account) == ("PROCESSING", "商户银行账户")


async def test_a_redirected_refund_is_not_sent_twice_by_itself(
    made: Made, town: Town, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    """The second would be refused, and the refusal taken for the truth."""
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0)
    pay = made()
    await paid(pay, wechat)
    asked = await refunded(pay)
    moves_on(clock, seconds=1)
    await pay.query_refund("RF-1")
    town.wechat_faults(server_error_after=True, only_path="apply-abnormal-refund")

    with pytest.raises(Unavailable):
        await pay.redirect_refund(refund_id=asked.refund_id, out_refund_no="RF-1", card=None)
    found = await pay.query_refund("RF-1")
    assert found is not None
    assert found.status == "PROCESSING"


async def test_the_key_that_our_requests_name_signs_the_answers(
    made: Made, wechat: httpx.AsyncClient
) -> None:
    pay = made()
    seen: list[str] = []

    async def look(response: httpx.Response) -> None:
        seen.append(response.headers["wechatpay-serial"])

    pay.signed.exchange.hosts[0].event_hooks["response"].append(look)
    await ordered(pay)

    assert seen == [PUBLIC_KEY_ID]
