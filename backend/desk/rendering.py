"""Templates: one environment over the `templates/` folders of all features, and the words templates speak."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from foundation.clock import local
from foundation.masking import mask_name, mask_phone, mask_text

FEATURES = Path(__file__).parents[1]
SEXES = {"male": "男", "female": "女"}


def environment(words: Mapping[str, Any]) -> Environment:
    """Escapes everything; an unknown name is an error, not an empty place. `words` are globals."""
    folders = {folder.parent.name: FileSystemLoader(folder) for folder in FEATURES.glob("*/templates")}
    made = Environment(
        loader=PrefixLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    made.filters |= {
        "when": when, "day": day, "span": span, "yuan": yuan, "sex": sex, "mask_name": mask_name,
        "mask_phone": mask_phone, "mask_text": mask_text, "mask_address": mask_address, "short": short,
    }  # fmt: skip
    made.globals |= dict(words)
    return made


def when(moment: datetime | None) -> str:
    """`11-22 09:05` on a Shanghai clock."""
    return f"{local(moment):%m-%d %H:%M}" if moment else "—"


def day(moment: datetime | None) -> str:
    """`2026-11-22` in Shanghai."""
    return f"{local(moment):%Y-%m-%d}" if moment else "—"


def span(length: timedelta) -> str:
    """How long, in words a person says."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes < 60:
        return f"{minutes} 分钟"
    hours, rest = divmod(minutes, 60)
    return f"{hours} 小时 {rest} 分" if hours < 24 else f"{hours // 24} 天 {hours % 24} 小时"


def yuan(fen: int) -> str:
    """`¥12.30`; whole numbers only."""
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}¥{rest // 100:,}.{rest % 100:02d}"


def sex(code: str) -> str:
    """FHIR's code in words."""
    return SEXES.get(code, "未说明")


def mask_address(address: str) -> str:
    """Town and road stay, house and room go."""
    return address[:9] + "****" if len(address) > 9 else "****" if address else ""


def short(text: object, length: int = 8) -> str:
    """The end of an id: enough to tell two apart."""
    return str(text)[-length:]
