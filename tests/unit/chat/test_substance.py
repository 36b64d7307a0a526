"""What a doctor writes: a courtesy and a question are no advice. A first guess that she confirms when she stops a visit."""

import pytest

from backend.chat.rules import of_substance


@pytest.mark.parametrize(
    "text",
    [
        "您好",
        "您好！",
        "您好，我是王医生，请稍等。",
        "早上好，请讲",
        "收到，谢谢。",
        "嗯嗯，好的",
        "有没有头晕？",
        "您好，按时吃药了吗？",
        "血压多少? 有没有胸痛?",
        "最近睡得好吗",
        "👌",
        "……",
    ],
)
def test_courtesies_and_questions_are_no_advice(text: str) -> None:
    assert not of_substance("text", text)


@pytest.mark.parametrize(
    "text",
    [
        "请减少盐的摄入",
        "您好，建议低盐饮食，每天量血压。",
        "有没有头晕？如果没有，继续原来的药。",
        "请立即到急诊就诊",
    ],
)
def test_what_says_something_is(text: str) -> None:
    assert of_substance("text", text)


@pytest.mark.parametrize("kind", ["voice", "image", "examination"])
def test_what_cannot_be_read_here_counts_as_advice(kind: str) -> None:
    assert of_substance(kind, "")
