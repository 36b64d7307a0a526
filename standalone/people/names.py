"""Names and addresses, drawn from common characters."""

from random import Random

_ONE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_SURNAMES: tuple[str, ...] = (*_ONE, "诸葛", "欧阳", "上官")
# the front of the list is the most common
_WEIGHTED = [name for place, name in enumerate(_SURNAMES) for _ in range(max(1, 24 - place // 3))]


def _twos(text: str) -> list[str]:
    return [text[start : start + 2] for start in range(0, len(text), 2)]


_MEN_OLD = _twos("建国国强志明永康德福长根福生金龙阿根国平伟民林根振华宝根仁良士明根生炳泉学文玉明")
_WOMEN_OLD = _twos("秀英桂芳玉兰凤英美华惠珍月琴丽萍秀珍爱珍小妹玲娣桂英雅芳兰英金妹菊芳翠娥彩娣素珍")
_MEN = "伟强磊洋勇军杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆晨峰东毅翔博文志海宏少子嘉"
_WOMEN = "芳娜敏静丽艳娟霞燕玲婷莉洁琳雪倩颖露瑶怡薇晶欣慧岚梅莹佳晓雅思梦诗佩若羽"
_CHILDREN = _twos("一诺子涵梓轩欣怡宇轩雨桐浩然诗涵奕辰可馨沐宸语桐子墨梓萱思远若汐铭泽安然皓宇书瑶")
_ROADS = ("示范一路", "示范二路", "示范三路", "演示大道", "样例街", "槎溪示范路", "古猗示范路")


def surname(random: Random) -> str:
    return _WEIGHTED[int(random.random() * len(_WEIGHTED))]


def full_name(random: Random, sex: str, age: int) -> str:
    """A surname and a given name of the kind usual at that age."""
    pool: list[str] | str
    if age < 12:
        pool = _CHILDREN
    elif age >= 58:
        pool = _MEN_OLD if sex == "1" else _WOMEN_OLD
    else:
        pool = _MEN if sex == "1" else _WOMEN
    given = pool[int(random.random() * len(pool))]
    if len(given) == 1 and random.random() < 0.7:
        given += pool[int(random.random() * len(pool))]
    return surname(random) + given


def address(random: Random) -> str:
    road = _ROADS[int(random.random() * len(_ROADS))]
    lane, house = int(random.random() * 900) + 1, int(random.random() * 60) + 1
    room = (int(random.random() * 18) + 1) * 100 + int(random.random() * 4) + 1
    return f"上海市嘉定区南翔镇{road}{lane}弄{house}号{room}室（演示地址）"
