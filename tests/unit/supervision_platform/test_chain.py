from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital


def test_missing_numbers_are_named_until_they_arrive(shanghai: Platform) -> None:
    hospital = Hospital()
    first, second, third, fourth, fifth = (hospital.booked("V-1", bookingNo=f"N-{n}") for n in range(5))

    shanghai.send("uploadBooking", [third, fifth])

    summary = shanghai.summary()
    assert summary["gaps"] == {"hospital": [[1, 2], [4, 4]], "streams": 1, "missing_in_streams": 3}
    assert summary["chain"]["missing"] == 3
    assert summary["chain"]["open"] == 2

    shanghai.send("uploadBooking", [fourth, first, second])

    summary = shanghai.summary()
    assert summary["gaps"] == {"hospital": [], "streams": 0, "missing_in_streams": 0}
    assert summary["chain"]["good"] == 5


def test_an_event_reported_elsewhere_closes_its_gap_with_a_link(shanghai: Platform) -> None:
    hospital = Hospital()
    booked, link, started = hospital.booked(), hospital.link(), hospital.started()

    shanghai.send("uploadBooking", [booked])
    shanghai.send("uploadFollowUp", [started])
    assert shanghai.summary()["gaps"]["hospital"] == [[2, 2]]

    answer = shanghai.send("uploadChainLink", [link])["body"]

    assert answer["receipts"][0]["receipt"]
    assert shanghai.summary()["gaps"] == {"hospital": [], "streams": 0, "missing_in_streams": 0}
    assert shanghai.summary()["chain"]["good"] == 3


def test_a_record_may_follow_the_link_of_its_event(shanghai: Platform) -> None:
    booked = Hospital().booked()
    place = {name: booked[name] for name in Hospital().link() if name in booked}

    assert shanghai.result("uploadChainLink", [place | {"reportedBy": "none"}])[0] == 200
    assert shanghai.result("uploadBooking", [booked])[0] == 200
    assert shanghai.summary()["chain"]["seen"] == 1


def test_a_broken_link_is_stored_and_seen(shanghai: Platform) -> None:
    hospital = Hospital()
    first = hospital.booked("V-1")
    second = hospital.booked("V-2", eventDigest="0" * 64)

    assert shanghai.result("uploadBooking", [first, second])[0] == 200

    chain = shanghai.summary()["chain"]
    assert (chain["good"], chain["broken"]) == (1, 1)
    assert shanghai.alerts() == ["chain_broken"]


def test_a_predecessor_that_contradicts_is_a_break(shanghai: Platform) -> None:
    hospital = Hospital()
    first, second = hospital.booked("V-1"), hospital.booked("V-2")

    shanghai.send("uploadBooking", [second | {"prevHash": first["chainHash"]}])
    assert shanghai.summary()["chain"]["open"] == 1
    shanghai.send("uploadBooking", [first | {"chainHash": "1" * 64}])

    assert shanghai.summary()["chain"]["broken"] == 2


def test_two_events_cannot_have_one_place(shanghai: Platform) -> None:
    booked = Hospital().booked()
    shanghai.send("uploadBooking", [booked])

    other = booked | {"eventId": "other"}
    elsewhere = booked | {"eventId": "third", "hospitalSeq": 9}

    assert shanghai.result("uploadBooking", [other]) == (-1, "hospitalSeq已被另一事件使用")
    assert shanghai.result("uploadBooking", [elsewhere]) == (-1, "streamSeq已被另一事件使用")
