"""The rules: how each is called, which of the law's five concerns it serves, on what it rests."""

from dataclasses import dataclass

VISITS_PER_HOUR = 12
DRUGS, DAYS = 5, 28


@dataclass(frozen=True)
class Rule:
    """`concern` is one of the law's five: staff, prescription, act, privacy, security."""

    title: str
    concern: str
    basis: str


RULES = {
    "under_six": Rule(
        "六岁以下处方缺少监护人或专科医师在场确认", "prescription", "互联网诊疗管理办法第十九条"
    ),
    "unreviewed": Rule("收费时未见处方审核通过", "prescription", "互联网医院管理办法第二十条"),
    "late_review": Rule("处方审核晚于收费", "prescription", "互联网医院管理办法第二十条"),
    "own_review": Rule("开方医师审核了自己的处方", "prescription", "互联网医院管理办法第二十条"),
    "reviewer_not_filed": Rule("审方药师未见备案", "prescription", "互联网医院管理办法第二十条"),
    "reviewer_lapsed": Rule("审方药师备案已过期或停用", "prescription", "互联网医院管理办法第二十条"),
    "too_many_drugs": Rule(f"一张处方超过{DRUGS}种药品", "prescription", "处方管理办法第六条"),
    "long_supply": Rule(f"用药超过{DAYS}天且未注明理由", "prescription", "处方管理办法第十九条"),
    "banned_drug": Rule("互联网禁止开具的药品", "prescription", "互联网诊疗管理办法第十九条"),
    "outside_licence": Rule("医师超出备案执业范围", "staff", "互联网诊疗管理办法第十一、十四条"),
    "not_filed": Rule("医师未见备案", "staff", "互联网诊疗管理办法第十四条"),
    "filing_lapsed": Rule("医师备案已过期或停用", "staff", "互联网诊疗管理办法第十四条"),
    "unverified": Rule("接诊的患者未见实名认证", "act", "互联网诊疗管理办法第十六条"),
    "no_evidence": Rule("接诊未见复诊依据", "act", "互联网诊疗管理办法第十六条"),
    "first_visit": Rule("医师判断不属于复诊仍接诊", "act", "互联网诊疗管理办法第十六条"),
    "severe_event": Rule("严重不良事件", "act", "互联网医院管理办法第三十条"),
    "too_many": Rule(f"一小时内接诊超过{VISITS_PER_HOUR}人次", "act", "互联网医院管理办法第三十条"),
    "view_without_visit": Rule("诊疗目的浏览档案但没有就诊", "privacy", "互联网医院管理办法第二十三条"),
    "view_refused": Rule("健康档案浏览被拒绝", "privacy", "互联网医院管理办法第二十三条"),
    "chain_broken": Rule("上报链值不符", "security", "互联网医院管理办法第十五条"),
}
