import httpx

from tests.unit.courier_service.conftest import Receiver, move, order, ship
from tests.unit.signed_calls import call


def get(base: str, path: str) -> httpx.Response:
    return httpx.get(base + path, trust_env=False, verify=False)


def post(base: str, path: str, **form: str) -> httpx.Response:
    return httpx.post(base + path, data=form, trust_env=False, verify=False)


def test_the_list_shows_parcels_by_status(service: str, receiver: Receiver) -> None:
    first, second = ship(service, receiver, "D-1"), ship(service, receiver, "D-2")
    move(service, second, "collected")

    everything, waiting, moving = (
        get(service, f"/operator?group={name}").text for name in ("all", "collect", "moving")
    )

    assert first in everything
    assert second in everything
    assert first in waiting
    assert second not in waiting
    assert second in moving


def test_a_parcel_is_found_by_what_stands_on_it(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver, "D-find-me")

    assert waybill in get(service, "/operator?q=find-me").text
    assert waybill in get(service, "/operator?q=马陆").text
    assert "没有找到" in get(service, "/operator?q=D_find").text
    assert get(service, "/operator?group=nonsense").status_code == 200


def test_an_operator_moves_a_parcel_with_a_form(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    moved = post(service, f"/operator/shipments/{waybill}/events", status="collected", place="", note="")

    assert (moved.status_code, moved.headers["location"]) == (303, f"/operator/shipments/{waybill}")
    page = get(service, f"/operator/shipments/{waybill}").text
    assert "已揽收" in page
    assert "快件已揽收" in page


def test_a_page_offers_only_what_is_possible(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    page = get(service, f"/operator/shipments/{waybill}").text

    assert 'value="collected"' in page
    assert 'value="delivered"' not in page


def test_an_outdated_page_is_told_so(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    answer = post(service, f"/operator/shipments/{waybill}/events", status="delivered")

    assert answer.status_code == 409
    assert "请返回刷新" in answer.text


def test_a_form_of_another_site_is_refused(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    answer = httpx.post(
        f"{service}/operator/shipments/{waybill}/events",
        data={"status": "collected"},
        headers={"Sec-Fetch-Site": "cross-site"},
        trust_env=False,
        verify=False,
    )

    assert answer.status_code == 403
    assert call(service, "GET", f"/v1/shipments/{waybill}").json()["status"] == "accepted"


def test_names_and_phones_are_masked(service: str, receiver: Receiver) -> None:
    waybill = ship(service, receiver)

    for path in ("/operator", f"/operator/shipments/{waybill}"):
        page = get(service, path).text
        assert "张**" in page
        assert "199****2000" in page
        assert "19900002000" not in page


def test_what_a_sender_writes_is_text_and_nothing_else(service: str, receiver: Receiver) -> None:
    body = order(receiver.url, goods=[{"name": "<script>alert(1)</script>", "quantity": 1}])
    waybill = call(service, "POST", "/v1/shipments", body).json()["waybill"]

    answer = get(service, f"/operator/shipments/{waybill}")

    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_missing_parcel_has_a_page_too(service: str) -> None:
    answer = get(service, "/operator/shipments/YS1")

    assert answer.status_code == 404
    assert "没有这件快件" in answer.text


def test_the_style_is_served(service: str) -> None:
    assert get(service, "/operator/static/operator.css").headers["content-type"].startswith("text/css")
