import json
import socket
import time

import pytest

from simulators.courier.app import create_app, declared_faults
from simulators.courier.callbacks import DELAYS
from simulators.courier.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.courier_service.conftest import (
    CALLBACK_KEY,
    CALLBACK_SECRET,
    Heard,
    Receiver,
    move,
    order,
    ship,
    wait_until,
)
from tests.unit.signed_calls import call, faults, move_clock, sign


def well_signed(heard: Heard) -> bool:
    timestamp = int(heard.headers["x-timestamp"])
    return heard.headers["x-signature"] == sign(CALLBACK_SECRET, "POST", heard.target, timestamp, heard.body)


def seconds_ahead(heard: Heard) -> float:
    """How far the courier's clock had been moved when it sent this."""
    return int(heard.headers["x-timestamp"]) - time.time()


def bodies(heard: list[Heard]) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in heard]


def test_every_step_is_told_and_signed(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    move(service, waybill, "collected", place="南翔", note="已取件")

    heard = receiver.wait_for(2)

    told = bodies(heard)
    assert [one["status"] for one in told] == ["accepted", "collected"]
    assert set(told[1]) == {"id", "waybill", "order_number", "sequence", "status", "at", "place", "note"}
    assert (told[1]["waybill"], told[1]["sequence"], told[1]["note"]) == (waybill, 2, "已取件")
    assert all(well_signed(one) for one in heard)
    assert heard[0].headers["x-app-key"] == CALLBACK_KEY
    assert abs(int(heard[0].headers["x-timestamp"]) - time.time()) < 10
    assert heard[0].target == "/callbacks/courier?from=%E5%BF%AB"


def test_a_callback_that_is_not_taken_comes_again_with_the_same_id(service: str, receiver: Receiver) -> None:
    receiver.answer = 500
    waybill = ship(service, receiver)
    passed = 0
    for number, delay in enumerate(DELAYS[:4], start=2):
        passed += delay + 1
        move_clock(service, passed)
        receiver.wait_for(number)

    receiver.answer = 204
    move_clock(service, passed + DELAYS[4] + 1)
    heard = receiver.wait_for(6)

    assert len({one.body for one in heard}) == 1
    assert all(well_signed(one) for one in heard)
    assert len({one.headers["x-timestamp"] for one in heard}) == 6
    move_clock(service, passed + 10 * DELAYS[4])
    move(service, waybill, "collected")
    assert bodies(receiver.wait_for(7))[6]["status"] == "collected"


def test_a_callback_is_given_up_in_the_end(service: str, receiver: Receiver) -> None:
    receiver.answer = 500
    waybill = ship(service, receiver)
    passed = 0
    for number, delay in enumerate(DELAYS, start=2):
        passed += delay + 1
        move_clock(service, passed)
        receiver.wait_for(number)

    import httpx

    def page() -> str:
        return httpx.get(f"{service}/operator/shipments/{waybill}", trust_env=False, verify=False).text

    wait_until(lambda: "多次通知失败" in page())
    receiver.answer = 200
    url = f"{service}/operator/shipments/{waybill}/callbacks"
    httpx.post(url, data={"x": "y"}, trust_env=False, verify=False)
    receiver.wait_for(len(DELAYS) + 2)
    wait_until(lambda: "已通知商家" in page())


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(service: str, receiver: Receiver) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        call(service, "POST", "/v1/shipments", order(url, "D-silent"))

        ship(service, receiver)

    assert len(receiver.heard) == 1


def test_lost_callbacks_never_come_but_the_state_can_be_asked(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    faults(service, lose_callbacks=True)
    move(service, waybill, "collected")
    faults(service)
    move(service, waybill, "in_transit")

    heard = receiver.wait_for(2)

    assert [one["status"] for one in bodies(heard)] == ["accepted", "in_transit"]
    shown = call(service, "GET", f"/v1/shipments/{waybill}").json()
    assert [one["status"] for one in shown["events"]] == ["accepted", "collected", "in_transit"]


def test_doubled_callbacks_are_the_same_twice(service: str, receiver: Receiver) -> None:
    faults(service, double_callbacks=True)
    call(service, "POST", "/v1/shipments", order(receiver.url))

    first, second = receiver.wait_for(2)

    assert first.body == second.body


def test_delayed_callbacks_come_later(service: str, receiver: Receiver) -> None:
    faults(service, delay_seconds=30)
    call(service, "POST", "/v1/shipments", order(receiver.url))

    move_clock(service, 31)

    assert seconds_ahead(receiver.wait_for(1)[0]) > 20


def test_a_wrong_signature_is_wrong_until_the_fault_is_off(service: str, receiver: Receiver) -> None:
    receiver.answer = 401
    faults(service, wrong_signature=True)
    ship(service, receiver)
    faults(service)

    move_clock(service, 6)

    assert [well_signed(one) for one in receiver.wait_for(2)] == [False, True]


def test_reordered_callbacks_come_the_later_one_first(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    faults(service, reorder=True)
    move(service, waybill, "collected")
    move(service, waybill, "in_transit")

    told = bodies(receiver.wait_for(3))

    assert [one["sequence"] for one in told] == [1, 3, 2]


def test_a_held_back_callback_comes_alone_in_the_end(service: str, receiver: Receiver) -> None:
    faults(service, reorder=True)
    call(service, "POST", "/v1/shipments", order(receiver.url))

    move_clock(service, 61)

    assert seconds_ahead(receiver.wait_for(1)[0]) > 50


def test_no_callback_leaves_while_the_courier_is_down(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)
    faults(service, down=True)
    move(service, waybill, "collected")

    move_clock(service, 100)
    faults(service)

    assert seconds_ahead(receiver.wait_for(2)[1]) > 90


def test_what_was_not_told_before_a_restart_is_told_after(
    environment: dict[str, str], receiver: Receiver
) -> None:
    def serving() -> Listener:
        return Listener(create_app(read(Reader(environment)), Clock(), declared_faults()), "127.0.0.1", 0)

    with in_background([serving()]) as (base,):
        waybill = ship(base, receiver)
        faults(base, down=True)
        move(base, waybill, "collected")

    with in_background([serving()]):
        assert bodies(receiver.wait_for(2))[1]["status"] == "collected"


@pytest.mark.parametrize("seconds", ["0.05"])
def test_parcels_move_by_themselves_when_told_so(
    environment: dict[str, str], receiver: Receiver, seconds: str
) -> None:
    settings = read(Reader({**environment, "COURIER_AUTO_SECONDS": seconds}))
    with in_background([Listener(create_app(settings, Clock(), declared_faults()), "127.0.0.1", 0)]) as (
        base,
    ):
        call(base, "POST", "/v1/shipments", order(receiver.url))
        told = bodies(receiver.wait_for(5))

    assert [one["status"] for one in told] == [
        "accepted",
        "collected",
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
