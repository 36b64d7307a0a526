"""The stand-alone verifier, for whoever holds a sheet: public, as the proof must not depend on who asks.

The CA's root is not given out here: a root from the house whose papers are to be verified would prove nothing. It comes
from the CA; the operator's guide (docs/verifying.md) says where and how its digest is compared.
"""

from starlette.responses import Response

from backend.edge import ApiCall, ApiEndpoint, Family
from backend.sheet.serving import verifier
from foundation.web.endpoint import get


async def show_verifier(call: ApiCall) -> Response:
    """The one file."""
    return verifier()


ENDPOINTS: list[ApiEndpoint] = [
    get("/verifier", show_verifier, summary="离线核验程序（处方笺、病历、签名证据）", family=Family.PERSONAL_VISIT),
]  # fmt: skip
