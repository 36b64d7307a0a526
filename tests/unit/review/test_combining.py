"""Drugs that meet: duplicates, classes, interactions, what is still taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.review.draft import Taking
from backend.review.rulebook import ordered, rulebook
from tests.unit.review.cases import about, line, listed, patient, said

MAN = patient(age=50, sex="male")
BLOCK, REASON, INFO = "block", "reason", "info"


def met(*names: str) -> list[str]:
    """Gravities of interactions of these drugs."""
    return [gravity for _, gravity in said(about(*names, who=MAN), "fit.interaction")]


def taking(name: str, days: int = 20, *, same_visit: bool = False) -> Taking:
    return Taking(listed()[name].code, name, days, same_visit)


@pytest.mark.parametrize(
    ("one", "other", "gravity"),
    [
        ("硝酸甘油片", "枸橼酸西地那非片", BLOCK),
        ("辛伐他汀片", "克拉霉素片", BLOCK),
        ("秋水仙碱片", "克拉霉素片", BLOCK),
        ("甲氨蝶呤片", "复方磺胺甲噁唑片", BLOCK),
        ("盐酸司来吉兰片", "盐酸氟西汀胶囊", BLOCK),
        ("沙库巴曲缬沙坦钠片", "马来酸依那普利片", BLOCK),
        ("华法林钠片", "布洛芬缓释胶囊", REASON),
        ("华法林钠片", "甲硝唑片", REASON),
        ("华法林钠片", "复方磺胺甲噁唑片", REASON),
        ("硫酸氢氯吡格雷片", "奥美拉唑肠溶胶囊", REASON),
        ("地高辛片", "螺内酯片", REASON),
        ("地高辛片", "环孢素软胶囊", REASON),
        ("盐酸胺碘酮片", "盐酸莫西沙星片", REASON),
        ("左氧氟沙星片", "铝碳酸镁咀嚼片", REASON),
        ("碳酸锂片", "氢氯噻嗪片", REASON),
        ("华法林钠片", "对乙酰氨基酚片", INFO),
        ("阿托伐他汀钙片", "伊曲康唑胶囊", BLOCK),
        ("阿托伐他汀钙片", "克拉霉素片", REASON),
        ("多巴丝肼片", "甲氧氯普胺片", BLOCK),
        ("阿司匹林肠溶片", "硫酸氢氯吡格雷片", INFO),
    ],
)
def test_known_interactions_are_found_from_either_side(one: str, other: str, gravity: str) -> None:
    assert met(one, other)[:1] == [gravity]
    assert met(other, one)[:1] == [gravity]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("苯磺酸氨氯地平片", "阿托伐他汀钙片"), ("硫酸氢氯吡格雷片", "泮托拉唑钠肠溶片"), ("盐酸二甲双胍片", "磷酸西格列汀片"),
        ("甲钴胺片", "叶酸片"), ("氯雷他定片", "孟鲁司特钠片"), ("普伐他汀钠片", "克霉唑阴道片"), ("对乙酰氨基酚片", "阿莫西林胶囊"),
        ("华法林钠片", "双氯芬酸二乙胺乳胶剂"), ("华法林钠片", "酮康唑乳膏"), ("辛伐他汀片", "红霉素软膏"),
        ("格列齐特缓释片", "硝酸咪康唑阴道软胶囊"), ("布洛芬缓释胶囊", "丙酸氟替卡松鼻喷雾剂"),
    ],
)  # fmt: skip
def test_what_goes_together_or_is_put_on_the_skin_is_left_alone(one: str, other: str) -> None:
    assert met(one, other) == []


def test_eye_drops_of_a_beta_blocker_act_in_the_whole_body() -> None:
    assert met("马来酸噻吗洛尔滴眼液", "盐酸维拉帕米片")[:1] == [REASON]
    assert met("拉坦前列素滴眼液", "盐酸维拉帕米片") == []


def test_a_compound_meets_with_each_of_its_substances() -> None:
    found = [one for one in about("酚麻美敏片", "盐酸司来吉兰片", who=MAN) if one.rule == "fit.interaction"]

    assert any("伪麻黄碱" in one.message for one in found)
    assert any("右美沙芬" in one.message for one in found)


def test_a_finding_names_the_row_that_speaks() -> None:
    (found,) = [
        one for one in about("硝酸甘油片", "枸橼酸西地那非片", who=MAN) if one.rule == "fit.interaction"
    ]

    assert "西地那非说明书" in found.source
    assert found.item == 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("缬沙坦胶囊", "缬沙坦氨氯地平片（Ⅰ）", ("fit.duplicate", BLOCK)),
        ("对乙酰氨基酚片", "复方氨酚烷胺片", ("fit.duplicate", BLOCK)),
        ("维C银翘片", "对乙酰氨基酚缓释片", ("fit.duplicate", BLOCK)),
        ("消渴丸", "格列本脲片", ("fit.duplicate", BLOCK)),
        ("双氯芬酸钠缓释片", "双氯芬酸二乙胺乳胶剂", ("fit.duplicate_local", INFO)),
        ("奥美拉唑肠溶胶囊", "雷贝拉唑钠肠溶片", ("fit.duplicate_class", REASON)),
        ("阿托伐他汀钙片", "瑞舒伐他汀钙片", ("fit.duplicate_class", REASON)),
        ("缬沙坦胶囊", "马来酸依那普利片", ("fit.duplicate_class", REASON)),
        ("利伐沙班片", "阿哌沙班片", ("fit.duplicate_class", BLOCK)),
        ("布洛芬缓释胶囊", "洛索洛芬钠片", ("fit.duplicate_class", REASON)),
        ("布洛芬缓释胶囊", "氟比洛芬凝胶贴膏", None),
        ("阿司匹林肠溶片", "硫酸氢氯吡格雷片", ("fit.same_class", INFO)),
        ("甘精胰岛素注射液", "门冬胰岛素注射液", None),
        ("硝酸甘油片", "单硝酸异山梨酯缓释片", None),
        ("苯磺酸氨氯地平片", "缬沙坦胶囊", None),
    ],
)
def test_twice_the_same_is_told_from_what_belongs_together(
    one: str, other: str, expected: tuple[str, str] | None
) -> None:
    names = ("fit.duplicate", "fit.duplicate_local", "fit.duplicate_class", "fit.same_class")

    assert said(about(one, other, who=MAN), *names) == ([expected] if expected else [])


# What is still taken


@pytest.mark.parametrize(
    ("days", "expected"), [(0, None), (1, ("fit.still_taking_info", INFO)), (7, ("fit.still_taking_info", INFO)), (8, ("fit.still_taking", REASON))]
)  # fmt: skip
def test_continuing_is_no_duplicate_and_much_left_asks_why(
    days: int, expected: tuple[str, str] | None
) -> None:
    """practice.md 11."""
    who = patient(age=50, sex="male", taking=(taking("苯磺酸氨氯地平片", days),))
    found = about("苯磺酸氨氯地平片", who=who)

    assert said(found, "fit.still_taking", "fit.still_taking_info", "fit.duplicate_visit") == (
        [expected] if expected else []
    )


def test_another_prescription_of_the_same_visit_is_a_duplicate_however_little_it_is() -> None:
    who = patient(age=50, sex="male", taking=(taking("苯磺酸氨氯地平片", 1, same_visit=True),))

    assert said(about("苯磺酸左氨氯地平片", who=who), "fit.duplicate_visit") == [
        ("fit.duplicate_visit", BLOCK)
    ]


def test_what_is_taken_takes_part_in_interactions_and_classes() -> None:
    who = patient(age=50, sex="male", taking=(taking("硝酸甘油片"), taking("奥美拉唑肠溶胶囊")))
    found = about("枸橼酸西地那非片", "雷贝拉唑钠肠溶片", who=who)

    assert said(found, "fit.interaction_taking")[:1] == [("fit.interaction_taking", BLOCK)]
    assert said(found, "fit.taking_same_class") == [("fit.taking_same_class", INFO)]


def test_a_cream_at_home_is_no_tablet_on_the_slip() -> None:
    who = patient(age=50, sex="male", taking=(taking("双氯芬酸二乙胺乳胶剂"),))

    assert said(about("双氯芬酸钠缓释片", who=who), "fit.still_taking") == []


def test_what_could_not_be_asked_or_is_not_listed_is_said() -> None:
    unknown = about("甲钴胺片", who=patient(age=50, sex="male", taking=None))
    unlisted = about("甲钴胺片", who=patient(age=50, sex="male", taking=(Taking("X1", "某药", 3),)))

    assert said(unknown, "fit.taking_unknown") == [("fit.taking_unknown", INFO)]
    assert said(unlisted, "fit.taking_unlisted") == [("fit.taking_unlisted", INFO)]
    assert not any("某药" in one.message for one in unlisted)  # what the hospital wrote is not kept


def test_what_may_not_be_mixed() -> None:
    found = about("胰酶肠溶胶囊", "铝碳酸镁咀嚼片", who=MAN)

    assert said(found, "fit.incompatible") == [("fit.incompatible", INFO)]
    assert said(about("胰酶肠溶胶囊", "蒙脱石散", who=MAN), "fit.incompatible") == []


@given(st.lists(st.sampled_from(sorted(listed())), min_size=2, max_size=5, unique=True))
def test_the_order_of_the_lines_changes_no_rule(names: list[str]) -> None:
    forward, backward = about(*names, who=MAN), about(*reversed(names), who=MAN)

    assert sorted((one.rule, one.severity) for one in forward) == sorted(
        (one.rule, one.severity) for one in backward
    )


@given(st.sampled_from(sorted(rulebook().interactions)))
def test_every_pair_is_found_by_its_key(pair: tuple[str, str]) -> None:
    assert pair == ordered(*pair)
    assert pair[0] != pair[1]


def test_a_line_is_a_week_unless_it_says_otherwise() -> None:
    assert line("甲钴胺片").days == 7
