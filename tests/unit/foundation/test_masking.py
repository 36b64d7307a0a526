import pytest

from foundation.logs import mask_entry
from foundation.masking import mask_id_number, mask_name, mask_phone, mask_text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("王小明", "王**"), ("王明", "王*"), ("王", "王*"), ("", ""), ("阿依努尔·买买提", "阿*******")],
)
def test_only_the_first_character_of_a_name_is_shown(name: str, shown: str) -> None:
    assert mask_name(name) == shown


def test_an_id_number_keeps_district_and_the_last_four() -> None:
    assert mask_id_number("310114199001010011") == "310114********0011"
    assert mask_id_number("31011419900101") == "*" * 14


def test_a_phone_keeps_its_ends() -> None:
    assert mask_phone("19900000001") == "199****0001"
    assert mask_phone("12345") == "*****"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("号码310114199001010011有误", "号码310114********0011有误"),
        ("310114199001010X1X 31011419900101001X", "310114199001010X1X 310114********001X"),
        ("打19900000001或19900000002", "打199****0001或199****0002"),
        ("订单 4200001990000000112026112200000001", "订单 4200001990000000112026112200000001"),
    ],
)
def test_numbers_of_people_are_masked_in_free_text_and_longer_numbers_stay(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_a_log_entry_shows_neither_secrets_nor_numbers_of_people() -> None:
    entry = mask_entry(None, "", {
        "event": "来自 19900000001", "Password": "p", "access_token": "t", "totp_secret": "s", "error": "310114199001010011", "n": 3,
    })  # fmt: skip

    assert entry == {
        "event": "来自 199****0001", "Password": "***", "access_token": "***", "totp_secret": "***",
        "error": "310114********0011", "n": 3,
    }  # fmt: skip


def test_numbers_of_people_are_masked_in_whatever_is_logged() -> None:
    entry = mask_entry(
        None, "", {"people": ["310114199001010011", {"phone": "19900000001"}], "pin_code": 4711}
    )

    assert entry == {"people": ["310114********0011", {"phone": "199****0001"}], "pin_code": "***"}
