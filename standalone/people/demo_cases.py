"""Who the demo patients are: one line each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A demo patient with one visit `days_ago`; the key is the part played in `demo.json`."""

    key: str
    name: str
    sex: str
    age: int
    code: str
    department: str
    days_ago: int
    note: str
    asks_for: str = ""


ORDINARY = (
    Case("patients", "韩佳怡", "2", 29, "N76.000", "0500", 6, "普通患者：急性阴道炎"),
    Case("patients", "唐思羽", "2", 35, "N92.600", "0500", 12, "普通患者：不规则月经"),
    Case("patients", "许惠珍", "2", 51, "N95.100", "0500", 9, "普通患者：绝经期综合征"),
    Case("patients", "何嘉俊", "1", 24, "L70.000", "1300", 5, "普通患者：痤疮"),
    Case("patients", "吕倩颖", "2", 33, "L50.900", "1300", 8, "普通患者：荨麻疹"),
    Case("patients", "施伟刚", "1", 57, "B35.300", "1300", 14, "普通患者：足癣"),
    Case("patients", "张长根", "1", 71, "E11.900", "0310", 11, "普通患者：2型糖尿病"),
    Case("patients", "金凤英", "2", 76, "I10.x00", "0310", 7, "普通患者：高血压"),
    Case("patients", "严伟民", "1", 68, "I25.103", "0310", 15, "普通患者：冠心病"),
    Case("patients", "曹子昂", "1", 16, "J30.400", "0700", 10, "普通患者：变应性鼻炎（16岁）"),
    Case("patients", "潘雨桐", "2", 17, "J45.900", "0700", 13, "普通患者：哮喘（17岁）"),
    Case("patients", "魏素珍", "2", 63, "M17.900", "0403", 4, "普通患者：膝骨关节炎"),
    Case("patients", "葛海峰", "1", 46, "M51.200", "0403", 16, "普通患者：腰椎间盘突出"),
    Case("patients", "范菊芳", "2", 67, "M81.000", "0403", 9, "普通患者：绝经后骨质疏松"),
)

SPECIAL = (
    Case("patient_red_flag", "吴建平", "1", 59, "E11.100", "0310", 7, "诊断为酮症酸中毒，不宜线上复诊"),
    Case(
        "patient_three_character",
        "冯德林",
        "1",
        70,
        "E11.400",
        "0310",
        9,
        "只在三位类目上相符，属慢性病目录",
        asks_for="E11.900",
    ),
    Case(
        "patient_doctor_decides",
        "褚美琴",
        "2",
        48,
        "M54.500",
        "0403",
        9,
        "只在三位类目上相符，不在慢性病目录，由医生判断",
        asks_for="M54.200",
    ),
)
