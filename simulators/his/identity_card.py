"""Identity card numbers by GB 11643, as the registration desk checks them."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def fault_of(number: str, birth_date: str, gender: str) -> str:
    """What is wrong with the number, in plain Chinese; empty when nothing is."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return "身份证号应为18位"
    remainder = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11
    if "10X98765432"[remainder] != number[17].upper():
        return "身份证号校验位不正确"
    if number[6:14] != birth_date.replace("-", ""):
        return "身份证号与出生日期不符"
    if gender != ("male" if int(number[16]) % 2 else "female"):
        return "身份证号与性别不符"
    return ""
