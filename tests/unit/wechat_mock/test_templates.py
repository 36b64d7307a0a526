import pytest

from miniapp_mock.wechat.open.templates import SUBSCRIBE, TEMPLATE, fits, load_templates

FITS = [
    ("thing1", "医生已接诊，请进入诊室"),
    ("thing1", "长" * 20),
    ("time2", "2026年11月22日 09:00"),
    ("time2", "09:00"),
    ("time2", "2026-11-22 09:00~2026-11-22 09:30"),
    ("date1", "2026年11月22日"),
    ("amount3", "¥30.00"),
    ("amount3", "30元"),
    ("character_string1", "SF-1234567890"),
    ("number4", "12"),
    ("name5", "周明远"),
    ("name5", "Zhou Ming Yuan"),
    ("phrase6", "已发货"),
    ("letter7", "AbC"),
    ("symbol8", "★"),
    ("phone_number9", "+86-0766-66888866"),
    ("car_number1", "沪A12345"),
]
TOO_MUCH = [
    ("thing1", "长" * 21),
    ("thing1", "两\n行"),
    ("time2", "明天九点"),
    ("time2", "25:00"),
    ("date1", "11月22日"),
    ("amount3", "¥12345678901"),
    ("amount3", "三十元"),
    ("character_string1", "单号一"),
    ("character_string1", "x" * 33),
    ("number4", "十二"),
    ("number4", "1" * 33),
    ("name5", "名" * 11),
    ("name5", "n" * 21),
    ("phrase6", "已经发货了吗"),
    ("phrase6", "OK"),
    ("letter7", "A1"),
    ("symbol8", "★★★★★★"),
    ("phone_number9", "1" * 18),
]


@pytest.mark.parametrize(("key", "value"), FITS)
def test_a_value_within_the_limits_fits(key: str, value: str) -> None:
    assert fits(key, value)


@pytest.mark.parametrize(("key", "value"), TOO_MUCH)
def test_a_value_beyond_the_limits_does_not_fit(key: str, value: str) -> None:
    assert not fits(key, value)


def test_patients_get_one_shot_messages_and_staff_template_messages() -> None:
    kinds = {template.id: template.kind for template in load_templates().values()}

    assert kinds["TPL_VISIT_WAITING"] == TEMPLATE
    assert kinds["TPL_RX_APPROVED"] == SUBSCRIBE


def test_no_template_has_a_field_for_a_diagnosis_or_a_drug() -> None:
    told = ("诊断", "疾病", "病名", "药名", "药品名", "处方内容", "症状")

    for template in load_templates().values():
        for label in (*template.fields.values(), template.title):
            assert not any(word in label for word in told), label
