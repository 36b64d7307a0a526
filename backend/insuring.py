"""Settings of medical insurance and of e-bills. Both may be left out: then everybody pays herself, and no e-bill is issued."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from foundation.settings import setting


class InsuranceWay(StrEnum):
    """How the hospital takes insurance."""

    NONE = "none"
    WECHAT = "wechat"


NEEDED = (
    "insurance_bureau_url", "insurance_bureau_app_key", "insurance_bureau_secret", "insurance_partner_url",
    "insurance_partner_id", "insurance_partner_secret", "insurance_org_code", "insurance_org_name", "insurance_city_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Insuring:
    """A part of the backend's settings."""

    insurance: InsuranceWay = setting(
        "how insurance is taken: none (everybody pays herself) or wechat", default=InsuranceWay.NONE
    )
    insurance_bureau_url: str = setting("payment centre of the insurance bureau", default="")
    insurance_bureau_app_key: str = setting("our key there", default="")
    insurance_bureau_secret: str = setting("our secret there", default="", secret=True)
    insurance_partner_url: str = setting("Tencent's receiver of authorisations", default="")
    insurance_partner_id: str = setting("our partner number there", default="")
    insurance_partner_secret: str = setting("our secret there", default="", secret=True)
    insurance_org_code: str = setting("code of the institution at the bureau (med_inst_no)", default="")
    insurance_org_name: str = setting("its name there (med_inst_name)", default="")
    insurance_city_id: str = setting("city number that Tencent gave (city_id)", default="")
    insurance_channel: str = setting("channel number that Tencent gave, if any", default="")
    ebill_url: str = setting("platform of medical e-bills; none are issued without it", default="")
    ebill_app_key: str = setting("our key there", default="")
    ebill_secret: str = setting("our secret there", default="", secret=True)
    ebill_verify_url: str = setting(
        "public address at which anybody verifies an e-bill, EBILL_URL if left out", default=""
    )

    def insuring_problems(self) -> list[str]:
        """What is missing or malformed."""
        needed: tuple[str, ...] = NEEDED if self.insurance is InsuranceWay.WECHAT else ()
        needed += ("ebill_app_key", "ebill_secret") if self.ebill_url else ()
        problems = [f"{name.upper()} is missing" for name in needed if not getattr(self, name)]
        for name in self._addresses():
            value = getattr(self, name)
            if value and urlsplit(value).scheme not in ("http", "https"):
                problems.append(f"{name.upper()} is malformed: not http or https")
        return problems

    def insuring_addresses(self) -> list[str]:
        """Names of the settings with an address that is used."""
        return [name for name in self._addresses() if getattr(self, name)]

    def _addresses(self) -> tuple[str, ...]:
        insurance = ("insurance_bureau_url", "insurance_partner_url")
        return (
            *(insurance if self.insurance is InsuranceWay.WECHAT else ()),
            "ebill_url",
            "ebill_verify_url",
        )
