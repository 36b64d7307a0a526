"""Each rule about the patient has a case that it catches and a near miss that it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.review.draft import Answer, Circumstances, Liver, SkinTest
from tests.unit.review.cases import about, drug, item, line, listed, looked_at, patient, said

WOMAN = patient(age=30, chronic=False)
MAN = patient(age=50, sex="male")
BLOCK, REASON, INFO = "block", "reason", "info"


# Kidney


@pytest.mark.parametrize(
    ("name", "egfr", "dose", "rule", "severity"),
    [
        ("盐酸二甲双胍片", 29, "500", "fit.renal_avoid", BLOCK),
        ("盐酸二甲双胍片", 30, "500", "fit.renal_avoid", None),
        ("盐酸二甲双胍片", 44, "1000", "fit.renal_dose", BLOCK),
        ("盐酸二甲双胍片", 45, "1000", "fit.renal_dose", None),
        ("磷酸西格列汀片", 44, "100", "fit.renal_dose", BLOCK),
        ("磷酸西格列汀片", 44, "50", "fit.renal_dose", None),
        ("达比加群酯胶囊", 29, "110", "fit.renal_avoid", BLOCK),
        ("达比加群酯胶囊", 30, "110", "fit.renal_avoid", None),
        ("达格列净片", 24, "10", "fit.renal_avoid", REASON),
        ("达格列净片", 25, "10", "fit.renal_avoid", None),
    ],
)
def test_the_kidney_sets_doses_and_bans(
    name: str, egfr: int, dose: str, rule: str, severity: str | None
) -> None:
    found = about(line(name, dose=dose), who=patient(age=60, sex="male", egfr=egfr))

    assert set(said(found, rule)) == ({(rule, severity)} if severity else set())


@pytest.mark.parametrize(
    ("codes", "age", "egfr", "rule"),
    [
        (("E11.900", "N18.300"), 50, None, "fit.renal_unknown"),
        (("E11.900", "N18.300"), 50, 80, None),
        (("E11.900",), 65, None, "fit.renal_unknown_elderly"),
        (("E11.900",), 64, None, None),
    ],
)
def test_an_unknown_kidney_is_asked_for_where_it_matters(
    codes: tuple[str, ...], age: int, egfr: int | None, rule: str | None
) -> None:
    found = about("盐酸二甲双胍片", who=patient(age=age, sex="male", egfr=egfr), codes=codes)

    names = ("fit.renal_unknown", "fit.renal_unknown_elderly")
    assert [name for name, _ in said(found, *names)] == ([rule] if rule else [])


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_worse_kidney_never_allows_more(one: int, other: int) -> None:
    worse, better = sorted((one, other))

    def stopped(egfr: int) -> bool:
        names = ("fit.renal_avoid", "fit.renal_dose", "fit.daily_max")
        found = about(line("磷酸西格列汀片", dose="50"), who=patient(age=60, sex="male", egfr=egfr))
        return bool(said(found, *names))

    assert stopped(worse) or not stopped(better)


# Age and weight


@pytest.mark.parametrize(
    ("months", "dose", "stops"), [(24, "0.5", False), (24, "0.6", True), (23, "0.3", True), (12, "0.25", False), (80, "0.9", False)]
)  # fmt: skip
def test_a_childs_dose_goes_by_its_age_band(months: int, dose: str, stops: bool) -> None:
    child = patient(age=months // 12, age_months=months, guardian_present=True, chronic=False)
    found = about(line("盐酸西替利嗪滴剂", dose=dose), who=child, codes=("J30.400",))

    assert bool(said(found, "fit.age_dose")) is stops


@pytest.mark.parametrize(("weight", "stops"), [("20", False), ("", False), ("18.1", True), ("18.2", False)])
def test_a_dose_by_weight_may_be_a_tenth_above(weight: str, stops: bool) -> None:
    """Cefixime at 8 mg/kg: 160 mg a day are 8 mg/kg at 20 kg and a tenth above at 18.2."""
    child = patient(age=6, chronic=False, weight_kg=weight)
    found = about(line("头孢克肟颗粒", dose="80", frequency="bid"), who=child, codes=("J20.900",))

    assert bool(said(found, "fit.weight_dose")) is stops


@pytest.mark.parametrize(
    ("name", "age", "severity"),
    [("左氧氟沙星片", 17, BLOCK), ("左氧氟沙星片", 18, None), ("阿司匹林肠溶片", 15, BLOCK), ("阿司匹林肠溶片", 16, None),
     ("马来酸氯苯那敏片", 65, REASON), ("马来酸氯苯那敏片", 64, None), ("洛索洛芬钠片", 75, REASON), ("洛索洛芬钠片", 74, None)],
)  # fmt: skip
def test_age_forbids_or_warns(name: str, age: int, severity: str | None) -> None:
    found = about(name, who=patient(age=age, sex="male"))

    assert said(found, "fit.age_contra") == ([("fit.age_contra", severity)] if severity else [])


@pytest.mark.parametrize(("age", "warned"), [(64, False), (65, True)])
def test_the_old_are_spared_some_drugs_by_the_list(age: int, warned: bool) -> None:
    found = about("吲哚美辛肠溶片", who=patient(age=age, sex="male"))

    assert bool(said(found, "fit.age_avoid")) is warned


# Sex, pregnancy, lactation


@pytest.mark.parametrize(
    ("name", "sex", "severity"),
    [("非那雄胺片", "female", BLOCK), ("非那雄胺片", "male", None), ("屈螺酮炔雌醇片", "male", BLOCK),
     ("屈螺酮炔雌醇片", "female", None), ("来曲唑片", "male", REASON)],
)  # fmt: skip
def test_some_drugs_are_for_one_sex(name: str, sex: str, severity: str | None) -> None:
    found = about(name, who=patient(age=60, sex=sex))

    assert set(said(found, "fit.sex")) == ({("fit.sex", severity)} if severity else set())


@pytest.mark.parametrize(
    ("name", "said_of_her", "expected"),
    [
        ("缬沙坦胶囊", Answer.YES, ("fit.pregnancy", BLOCK)),
        ("缬沙坦胶囊", Answer.UNKNOWN, ("fit.pregnancy_unknown", REASON)),
        ("缬沙坦胶囊", Answer.NO, None),
        ("苯磺酸氨氯地平片", Answer.YES, ("fit.pregnancy", REASON)),
        ("苯磺酸氨氯地平片", Answer.UNKNOWN, None),
        ("甲钴胺片", Answer.YES, None),
        ("阿达帕林凝胶", Answer.YES, ("fit.pregnancy", BLOCK)),
    ],
)
def test_pregnancy_unknown_is_not_a_no(
    name: str, said_of_her: Answer, expected: tuple[str, str] | None
) -> None:
    found = about(name, who=patient(age=30, pregnancy=said_of_her))

    assert said(found, "fit.pregnancy", "fit.pregnancy_unknown") == ([expected] if expected else [])


@pytest.mark.parametrize(("age", "sex", "asked"), [(12, "female", True), (50, "female", True), (51, "female", False), (30, "male", False)])  # fmt: skip
def test_only_who_could_be_pregnant_is_asked(age: int, sex: str, asked: bool) -> None:
    found = about("缬沙坦胶囊", who=patient(age=age, sex=sex))

    assert bool(said(found, "fit.pregnancy_unknown")) is asked


@pytest.mark.parametrize(("code", "severity"), [("Z34.900", BLOCK), ("O24.400", BLOCK), ("O03.900", None)])
def test_a_diagnosis_can_say_that_she_is_pregnant(code: str, severity: str | None) -> None:
    found = about("缬沙坦胶囊", who=WOMAN, codes=("I10.x00", code))

    assert said(found, "fit.pregnancy") == ([("fit.pregnancy", severity)] if severity else [])


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("缬沙坦胶囊", Answer.YES, [("fit.lactation", BLOCK)]),
        ("苯磺酸氨氯地平片", Answer.YES, [("fit.lactation", INFO)]),
        ("缬沙坦胶囊", Answer.UNKNOWN, [("fit.lactation_unknown", INFO)]),
        ("缬沙坦胶囊", Answer.NO, []),
        ("甲钴胺片", Answer.YES, []),
    ],
)
def test_nursing(name: str, answer: Answer, expected: list[tuple[str, str]]) -> None:
    found = about(name, who=patient(age=30, lactation=answer, pregnancy=Answer.NO))

    assert said(found, "fit.lactation", "fit.lactation_unknown") == expected


# Liver, diagnoses


@pytest.mark.parametrize(
    ("name", "liver", "severity"),
    [("甲氨蝶呤片", Liver.A, BLOCK), ("阿托伐他汀钙片", Liver.B, None), ("阿托伐他汀钙片", Liver.C, BLOCK),
     ("利伐沙班片", Liver.A, None), ("利伐沙班片", Liver.B, REASON), ("利伐沙班片", Liver.C, BLOCK),
     ("甲氨蝶呤片", Liver.UNKNOWN, None), ("甲氨蝶呤片", Liver.NORMAL, None)],
)  # fmt: skip
def test_the_liver_forbids_by_class(name: str, liver: Liver, severity: str | None) -> None:
    found = about(name, who=patient(age=60, sex="male", liver=liver))

    assert said(found, "fit.liver") == ([("fit.liver", severity)] if severity else [])


@pytest.mark.parametrize(
    ("name", "code", "severity"),
    [
        ("盐酸普萘洛尔片", "J45.900", BLOCK), ("酒石酸美托洛尔片", "J45.900", REASON), ("酒石酸美托洛尔片", "J42.x00", None),
        ("布洛芬片", "K25.900", BLOCK), ("布洛芬片", "K29.500", None), ("盐酸二甲双胍片", "N18.400", BLOCK),
        ("盐酸二甲双胍片", "N18.300", None), ("格列美脲片", "E10.900", BLOCK), ("格列美脲片", "E11.900", None),
        ("马来酸噻吗洛尔滴眼液", "J45.900", BLOCK), ("双氯芬酸二乙胺乳胶剂", "K25.900", None),
        ("盐酸氟桂利嗪胶囊", "G20.x00", BLOCK), ("盐酸曲马多缓释片", "G40.900", BLOCK), ("西洛他唑片", "I50.900", BLOCK),
        ("螺内酯片", "E87.500", BLOCK), ("螺内酯片", "E87.600", None),
    ],
)  # fmt: skip
def test_a_diagnosis_forbids(name: str, code: str, severity: str | None) -> None:
    found = said(about(name, who=MAN, codes=("I10.x00", code)), "fit.diagnosis")

    assert [gravity for _, gravity in found][:1] == ([severity] if severity else [])


def test_what_the_hospital_knows_counts_as_well_and_is_no_diagnosis_of_this_prescription() -> None:
    asthmatic = patient(age=50, sex="male", history_codes=frozenset({"J45.900"}))

    assert said(about("盐酸普萘洛尔片", who=asthmatic), "fit.diagnosis")[:1] == [("fit.diagnosis", BLOCK)]
    assert said(about("盐酸普萘洛尔片", who=MAN), "fit.diagnosis") == []


# Allergies and skin tests


@pytest.mark.parametrize(
    ("name", "group", "rule", "severity"),
    [
        ("阿莫西林胶囊", "penicillin", "fit.allergy", BLOCK),
        ("头孢氨苄胶囊", "penicillin", "fit.allergy_cross", REASON),
        ("头孢克肟颗粒", "penicillin", "fit.allergy_cross", INFO),
        ("阿奇霉素片", "penicillin", None, None),
        ("氢氯噻嗪片", "sulfonamide_antibacterial", "fit.allergy_cross", INFO),
        ("塞来昔布胶囊", "sulfonamide_antibacterial", "fit.allergy_cross", REASON),
        ("塞来昔布胶囊", "nsaid", "fit.allergy", BLOCK),
        ("拉莫三嗪片", "aromatic_antiepileptic", "fit.allergy_cross", REASON),
        ("对乙酰氨基酚片", "nsaid", None, None),
    ],
)
def test_allergies_and_their_relatives(name: str, group: str, rule: str | None, severity: str | None) -> None:
    found = about(name, who=patient(allergy_groups=frozenset({group})))

    expected = [(rule, severity)] if rule else []
    assert said(found, "fit.allergy", "fit.allergy_cross", "fit.allergy_substance") == expected


def test_an_allergy_by_name_needs_no_group() -> None:
    known = patient(sex="male", allergy_names=frozenset({"氨氯地平过敏"}))

    assert said(about("苯磺酸氨氯地平片", who=known), "fit.allergy_substance") == [
        ("fit.allergy_substance", BLOCK)
    ]
    assert said(about("非洛地平缓释片", who=known), "fit.allergy_substance") == []


@pytest.mark.parametrize(
    ("name", "stops"), [("头孢羟氨苄胶囊", True), ("头孢丙烯片", True), ("头孢氨苄胶囊", False)]
)
def test_the_same_side_chain_is_a_stop(name: str, stops: bool) -> None:
    """Amoxicillin's side chain is cefadroxil's and cefprozil's; cefalexin has ampicillin's."""
    known = patient(allergy_groups=frozenset({"penicillin"}), allergy_names=frozenset({"阿莫西林"}))

    assert bool(said(about(name, who=known), "fit.allergy_side_chain")) is stops


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ((), [("fit.skin_test", BLOCK)]),
        ((SkinTest("penicillin", True),), []),
        ((SkinTest("penicillin", False),), [("fit.skin_test_positive", BLOCK)]),
        ((SkinTest("penicillin", True), SkinTest("penicillin", False)), [("fit.skin_test_positive", BLOCK)]),
        ((SkinTest("cephalosporin", True),), [("fit.skin_test", BLOCK)]),
    ],
)
def test_a_skin_test_is_negative_and_of_the_right_drug(
    tests: tuple[SkinTest, ...], expected: list[tuple[str, str]]
) -> None:
    found = about("阿莫西林胶囊", who=patient(skin_tests=tests), codes=("J02.900",))

    assert said(found, "fit.skin_test", "fit.skin_test_positive") == expected


# Frequency, form, legality


@pytest.mark.parametrize(
    ("name", "frequency", "expected"),
    [("甲氨蝶呤片", "qd", BLOCK), ("甲氨蝶呤片", "qw", None), ("阿仑膦酸钠片", "qd", BLOCK), ("阿仑膦酸钠片", "qw", None),
     ("硝苯地平控释片", "tid", REASON), ("硝苯地平控释片", "bid", None), ("枸橼酸西地那非片", "bid", BLOCK)],
)  # fmt: skip
def test_frequencies_that_kill_or_make_no_sense(name: str, frequency: str, expected: str | None) -> None:
    found = about(line(name, frequency=frequency), who=MAN)

    assert said(found, "fit.frequency_unusual") == ([("fit.frequency_unusual", expected)] if expected else [])


@pytest.mark.parametrize(("days", "severity"), [(1, None), (2, REASON)])
def test_once_is_one_day(days: int, severity: str | None) -> None:
    found = looked_at(item(frequency="once", days=days))

    assert [one.severity.value for one in found if one.rule == "fit.frequency_unusual"] == (
        [severity] if severity else []
    )


@pytest.mark.parametrize(
    ("kind", "days", "reason", "expected"),
    [
        ("emergency", 3, "", None),
        ("emergency", 4, "", REASON),
        ("emergency", 4, "有理由", INFO),
        ("", 4, "", None),
    ],
)
def test_an_emergency_prescription_is_for_three_days(
    kind: str, days: int, reason: str, expected: str | None
) -> None:
    found = about(line("苯磺酸氨氯地平片", days=days), kind=kind, reason=reason)

    assert said(found, "form.emergency_days") == ([("form.emergency_days", expected)] if expected else [])


@pytest.mark.parametrize(("days", "told"), [(28, False), (29, True), (84, True)])
def test_more_than_four_weeks_are_assessed(days: int, told: bool) -> None:
    found = about(line("苯磺酸氨氯地平片", days=days, quantity=4))

    assert bool(said(found, "form.long_term")) is told


@pytest.mark.parametrize(
    ("note", "stops"), [("遵医嘱", True), ("自用", True), ("晨起服用", False), ("", False)]
)
def test_vague_words_are_no_use(note: str, stops: bool) -> None:
    assert bool(said(about(line("苯磺酸氨氯地平片", note=note)), "form.vague_use")) is stops


@pytest.mark.parametrize(("packs", "expected"), [(5, None), (6, REASON)])
def test_many_packs_of_what_cannot_be_counted_ask_for_a_reason(packs: int, expected: str | None) -> None:
    found = about(line("糠酸莫米松乳膏", quantity=packs), reason="", codes=("L20.900",))

    assert said(found, "form.quantity_large") == ([("form.quantity_large", expected)] if expected else [])


@pytest.mark.parametrize(("age", "weight", "told"), [(2, "", True), (2, "12", False), (3, "", False)])
def test_an_infants_weight_is_wanted(age: int, weight: str, told: bool) -> None:
    child = patient(age=age, weight_kg=weight, guardian_present=True)

    assert bool(said(about("蒙脱石散", who=child), "form.infant_weight")) is told


@pytest.mark.parametrize(
    ("title", "stops"), [("233", False), ("231", False), ("234", True), ("235", True), ("", False)]
)
def test_a_restricted_antibacterial_needs_the_right_for_it(title: str, stops: bool) -> None:
    """抗菌药物临床应用管理办法: attending physicians and above."""
    found = about("头孢克肟颗粒", at=Circumstances(title_code=title), codes=("J20.900",))

    assert bool(said(found, "legal.antibacterial_right")) is stops
    assert said(about("头孢呋辛酯片", at=Circumstances(title_code=title)), "legal.antibacterial_right") == []


@pytest.mark.parametrize(
    ("name", "listed_there"),
    [
        ("替格瑞洛片", True), ("硫酸氢氯吡格雷片", False), ("秋水仙碱片", True), ("头孢地尼胶囊", True), ("头孢克肟颗粒", False),
        ("伊曲康唑胶囊", True), ("夫西地酸乳膏", False), ("甘精胰岛素注射液", False), ("利拉鲁肽注射液", False),
        ("注射用头孢曲松钠", True), ("人血白蛋白", True), ("重组乙型肝炎疫苗（酿酒酵母）", True), ("酚麻美敏片", True), ("急支糖浆", False),
        ("氢溴酸右美沙芬片", True), ("氨酚伪麻美芬片Ⅱ", True), ("可待因桔梗片", True), ("地西泮片", True), ("复方甲氧那明胶囊", False),
        ("氨茶碱片", True), ("米非司酮片", True), ("苯磺酸氨氯地平片", False), ("甲睾酮片", True),
    ],
)  # fmt: skip
def test_the_national_list_binds_only_where_it_is_switched_on(name: str, listed_there: bool) -> None:
    """药品网络销售禁止清单（第一版）."""
    assert name in listed()
    assert bool(said(about(name, at=Circumstances(retail_ban=True)), "legal.retail_ban")) is listed_there
    assert said(about(name), "legal.retail_ban") == []


def test_a_test_drug_without_data_meets_no_rule_of_the_data() -> None:
    assert looked_at(item(), drugs=[drug(ingredients=["无此成分"])]) == []
