from tests.unit.wechat_mock.merchant import Merchant


def test_an_order_is_paid_once(merchant: Merchant) -> None:
    number, prepay_id = merchant.order()

    assert merchant.query(number)["trade_state"] == "NOTPAY"
    assert merchant.is_paid("o-patient", prepay_id) == "requestPayment:ok"
    assert merchant.is_paid("o-patient", prepay_id).startswith("requestPayment:fail ")
    assert merchant.query(number)["trade_state"] == "SUCCESS"
