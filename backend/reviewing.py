"""Settings of prescription review: the national list as a profile, who may ask us, and whom we ask."""

from dataclasses import dataclass
from pathlib import Path

from foundation.settings import setting


@dataclass(frozen=True, kw_only=True)
class Reviewing:
    """A part of the backend's settings."""

    review_retail_ban: bool = setting(
        "refuse what the national list forbids to sell online, at review, order and dispensing (on when a third party's pharmacy sells or delivers)",
        default=False,
    )
    cds_url: str = setting(
        "public address of our CDS Hooks service: the audience of its callers' tokens", default=""
    )
    cds_clients: Path | None = setting(
        'JSON file of who may call it, `{"issuers": [{"iss", "jwks"}]}`; nobody may without it', default=None
    )
    review_server_url: str = setting(
        "an outside review server that speaks CDS Hooks 2.0; none is asked without it", default=""
    )
    review_server_service: str = setting("id of its service that is asked", default="order-sign")
    review_server_issuer: str = setting("who we are there: `iss` of our tokens", default="")
    review_server_key: Path | None = setting("our private key there, PEM, EC P-384", default=None)
    review_server_key_id: str = setting("its `kid` there", default="")
    review_server_seconds: int = setting("how long its answer is waited for", default=2)

    def reviewing_problems(self) -> list[str]:
        """What cannot be."""
        problems = []
        for name in ("cds_url", "review_server_url"):
            value = getattr(self, name)
            if value and not value.startswith(("http://", "https://")):
                problems.append(f"{name.upper()} is malformed: not http or https")
        if (self.cds_clients is None) != (not self.cds_url):
            problems.append("CDS_URL and CDS_CLIENTS are only of use together")
        if self.cds_clients is not None and not self.cds_clients.is_file():
            problems.append("CDS_CLIENTS is malformed: no such file")
        if self.review_server_url:
            missing = [
                name
                for name in ("review_server_issuer", "review_server_key", "review_server_key_id")
                if not getattr(self, name)
            ]
            problems += [f"{name.upper()} is missing" for name in missing]
        if self.review_server_key is not None and not self.review_server_key.is_file():
            problems.append("REVIEW_SERVER_KEY is malformed: no such file")
        if not 1 <= self.review_server_seconds <= 30:
            problems.append("REVIEW_SERVER_SECONDS is malformed: not between 1 and 30")
        return problems

    def reviewing_addresses(self) -> list[str]:
        """Those that are set, which must be https in production."""
        return [name for name in ("cds_url", "review_server_url") if getattr(self, name)]
