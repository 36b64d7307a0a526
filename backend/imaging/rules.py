"""Which picture comes before and after another, what windows are called, what modalities are called. Pure."""

from dataclasses import dataclass

MODALITIES = {
    "CT": "CT", "MR": "磁共振", "DX": "X线摄影", "CR": "X线摄影", "DR": "X线摄影", "RF": "X线透视", "US": "超声", "MG": "乳腺X线",
    "XA": "血管造影", "NM": "核医学", "PT": "PET", "ES": "内镜", "IO": "口腔X线", "PX": "口腔全景", "SM": "病理", "OP": "眼科照相", "OT": "其他",
}  # fmt: skip
"""DICOM's codes (PS3.3 C.7.3.1.1.1) in the words of a Chinese hospital."""

WINDOWS = {"lung": (-600, 1_500), "soft": (40, 400), "bone": (400, 1_800), "brain": (40, 80)}
"""Usual windows of CT: centre and width in Hounsfield units. Other modalities have no common unit, and get none."""
WINDOW_NAMES = {"lung": "肺窗", "soft": "软组织窗", "bone": "骨窗", "brain": "脑窗"}
WINDOWED = frozenset({"CT"})


PRIVATE_MODALITIES = frozenset({"MG"})
PRIVATE_WORDS = (
    "妇科", "盆腔", "子宫", "宫颈", "宫腔", "附件", "卵巢", "输卵管", "阴道", "外阴", "经阴", "乳腺", "乳房", "产科", "胎儿", "早孕", "孕",
    "前列腺", "精囊", "睾丸", "附睾", "阴囊", "精索", "阴茎", "生殖", "性病", "梅毒", "艾滋", "pelvi", "uter", "ovar", "vagin", "breast",
    "mamm", "obstet", "fetal", "fetus", "prostat", "testi", "scrot",
)  # fmt: skip
"""What is seen by a proxy only with a grant of its own (practice.md 2). A picture has no diagnosis: its description is all there is."""


def is_private(modality: str, *descriptions: str) -> bool:
    """Whether it is hers alone to show: by what it is called, or because nothing says what it is."""
    said = " ".join(descriptions).lower()
    if not said.strip() or PRIVATE_MODALITIES & set(modality.split("/")):
        return True
    return any(word in said for word in PRIVATE_WORDS)


@dataclass(frozen=True)
class Place:
    """Series, instance and frame of a picture, counted from 1."""

    series: int
    instance: int
    frame: int


@dataclass(frozen=True)
class Extent:
    """How many series the study, instances the series, and frames the instance of a picture have."""

    series: int
    instances: int
    frames: int


def before(at: Place) -> Place | None:
    """The picture before; from the first of a series to the first of the one before it, None at the very first.

    How many frames the instance before has is not known from here: its first is given.
    """
    if at.frame > 1:
        return Place(at.series, at.instance, at.frame - 1)
    if at.instance > 1:
        return Place(at.series, at.instance - 1, 1)
    return Place(at.series - 1, 1, 1) if at.series > 1 else None


def after(at: Place, extent: Extent) -> Place | None:
    """The picture after, None at the very last."""
    if at.frame < extent.frames:
        return Place(at.series, at.instance, at.frame + 1)
    if at.instance < extent.instances:
        return Place(at.series, at.instance + 1, 1)
    return Place(at.series + 1, 1, 1) if at.series < extent.series else None


def modality_name(codes: str) -> str:
    """`CT/SR` in words; codes that nobody knows stay as they are."""
    return "、".join(dict.fromkeys(MODALITIES.get(code, code) for code in codes.split("/") if code))
