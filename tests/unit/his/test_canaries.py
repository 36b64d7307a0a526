import base64
import json

from tests.unit.his.conftest import Server

MARK, NUMBER = "貔貅獬豸", 735192640817


def plant(his: Server, **changes: object) -> list[dict[str, str]]:
    asked = {"patient": his.demo["patients"][3]["id"], "mark": MARK, "number": NUMBER} | changes
    answer = his.health.put("/_test/canaries", json=asked)
    assert answer.status_code == 200, answer.text
    planted: list[dict[str, str]] = answer.json()["planted"]
    return planted


def test_everything_told_about_a_patient_is_marked_and_the_codes_stay(his: Server) -> None:
    patient = his.demo["patients"][4]

    planted = plant(his, patient=patient["id"])

    told = ""
    for kind in {one["resource"].split("/")[0] for one in planted}:
        for resource in his.find(kind, patient=patient["id"], _count="200"):
            told += json.dumps(resource, ensure_ascii=False)
            for content in resource.get("content", []):
                told += base64.b64decode(content["attachment"]["data"]).decode()
    assert len({one["token"] for one in planted}) == len(planted) > 10
    assert [one for one in planted if one["token"] not in told] == []
    conditions = his.find("Condition", patient=patient["id"])
    assert {coding["code"] for one in conditions for coding in one["code"].get("coding", [])} >= {
        patient["asks_for"]
    }


def test_nobody_else_is_marked(his: Server) -> None:
    planted = plant(his)

    others = his.find("Condition", patient=his.demo["patients"][6]["id"])

    assert planted
    assert MARK not in json.dumps(others, ensure_ascii=False)


def test_a_patient_nobody_knows_and_a_mark_without_a_word_are_refused(his: Server) -> None:
    for wrong in ({"patient": "P-none"}, {"mark": ""}, {"number": 12}):
        asked = {"patient": his.demo["patients"][3]["id"], "mark": MARK, "number": NUMBER} | wrong
        assert his.health.put("/_test/canaries", json=asked).status_code == 400
