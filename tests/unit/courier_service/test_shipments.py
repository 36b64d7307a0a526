from typing import Any

import pytest

from tests.unit.courier_service.conftest import Receiver, move, order, ship
from tests.unit.signed_calls import call, faults


def test_a_parcel_is_accepted_once_for_each_order(service: str, receiver: Receiver) -> None:
    first = call(service, "POST", "/v1/shipments", order(receiver.url))
    again = call(service, "POST", "/v1/shipments", order(receiver.url))

    assert first.status_code == 201
    assert set(first.json()) == {"waybill", "order_number", "status"}
    assert first.json()["status"] == "accepted"
    assert (again.status_code, again.json()) == (200, first.json())


def test_an_order_number_cannot_stand_for_another_parcel(service: str, receiver: Receiver) -> None:
    call(service, "POST", "/v1/shipments", order(receiver.url))

    other = order(receiver.url, goods=[{"name": "别的药", "quantity": 1}])
    answer = call(service, "POST", "/v1/shipments", other)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_NUMBER_USED")


def test_two_orders_have_two_waybills(service: str, receiver: Receiver) -> None:
    assert ship(service, receiver, "D-1") != ship(service, receiver, "D-2")


def test_the_whole_way_of_a_parcel_is_shown(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    for status in ("collected", "in_transit", "in_transit", "out_for_delivery", "delivered"):
        assert move(service, waybill, status, place="南翔").status_code == 201

    shown = call(service, "GET", f"/v1/shipments/{waybill}").json()

    assert (shown["waybill"], shown["order_number"], shown["status"]) == (waybill, "D20261122-1", "delivered")
    assert [one["sequence"] for one in shown["events"]] == [1, 2, 3, 4, 5, 6]
    assert [one["status"] for one in shown["events"]][-2:] == ["out_for_delivery", "delivered"]
    assert set(shown["events"][0]) == {"sequence", "status", "at", "place", "note"}
    assert shown["events"][1]["place"] == "南翔"
    assert shown["events"][0]["at"].endswith("+08:00")


def test_a_parcel_cannot_jump(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    answer = move(service, waybill, "delivered")

    assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATUS")


@pytest.mark.parametrize("way", [("collected", "in_transit", "exception"), ("collected", "exception")])
def test_a_parcel_with_a_problem_goes_on_or_back(
    service: str, receiver: Receiver, way: tuple[str, ...]
) -> None:
    for number, end in enumerate(("out_for_delivery", "returned", "delivered")):
        waybill = ship(service, receiver, f"D-{number}")
        for status in way:
            move(service, waybill, status)

        assert move(service, waybill, end).status_code == 201


def test_a_parcel_can_be_cancelled_until_it_is_collected(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver, "D-1")
    cancelled = call(service, "POST", f"/v1/shipments/{waybill}/cancel")
    again = call(service, "POST", f"/v1/shipments/{waybill}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.json()) == (200, cancelled.json())

    collected = ship(service, receiver, "D-2")
    move(service, collected, "collected")
    refused = call(service, "POST", f"/v1/shipments/{collected}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_COLLECTED")


def test_what_has_ended_does_not_move_again(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    call(service, "POST", f"/v1/shipments/{waybill}/cancel")

    assert move(service, waybill, "collected").status_code == 409


def test_an_unknown_parcel_is_not_found(service: str) -> None:
    for answer in (
        call(service, "GET", "/v1/shipments/YS1"),
        call(service, "POST", "/v1/shipments/YS1/cancel"),
        move(service, "YS1", "collected"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"goods": []}, "goods"),
        ({"goods": [{"name": "药", "quantity": 0}]}, "goods[0].quantity"),
        ({"goods": [{"name": "药", "quantity": True}]}, "goods[0].quantity"),
        ({"sender": {"name": "药房", "phone": "19900001000"}}, "sender.address"),
        ({"receiver": {"name": "张", "phone": "电话", "address": "x"}}, "receiver.phone"),
        ({"callback_url": "ftp://127.0.0.1/x"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1:99999/x"}, "callback_url"),
        ({"callback_url": "http://[/x"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1/\r\nX: y"}, "callback_url"),
        ({"weight": 1}, "weight"),
    ],
)
def test_a_malformed_order_names_the_field(service: str, change: dict[str, Any], field: str) -> None:
    answer = call(service, "POST", "/v1/shipments", {**order("http://127.0.0.1:1/x"), **change})

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "BAD_REQUEST", field)


@pytest.mark.parametrize(
    "body",
    [{"status": "lost"}, {"status": "collected", "place": 7}, {"status": "collected", "where": "x"}, []],
)
def test_a_malformed_event_is_refused(service: str, receiver: Receiver, body: Any) -> None:
    import httpx

    waybill = ship(service, receiver)
    url = f"{service}/operator/shipments/{waybill}/events"

    assert httpx.post(url, json=body, trust_env=False, verify=False).status_code == 400


def test_unsigned_requests_are_refused(service: str) -> None:
    assert call(service, "GET", "/v1/shipments/YS1", secret="other").json() == {"code": "BAD_SIGNATURE"}


def test_a_courier_that_is_down_answers_503(service: str, receiver: Receiver) -> None:
    faults(service, down=True)
    assert call(service, "POST", "/v1/shipments", order(receiver.url)).status_code == 503

    faults(service)
    assert call(service, "POST", "/v1/shipments", order(receiver.url)).status_code == 201
