"""What any verifier may fetch unsigned: certificates, the revocation list, time stamps."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.ca import sm2, timestamps
from simulators.ca.authorities import certificate_pem
from simulators.ca.certificates import Signer
from simulators.ca.guard import guard
from simulators.ca.service import Ca
from simulators.server import Clock, Faults, error
from simulators.signed import Endpoint

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"


def public_routes(ca: Ca, clock: Clock, faults: Faults) -> list[Route]:
    async def revocation_list(_: Request) -> Response:
        return Response(ca.revocation_list(), media_type="application/pkix-crl")

    async def authority_revocation_list(_: Request) -> Response:
        return Response(ca.authority_revocation_list(), media_type="application/pkix-crl")

    async def stamp(request: Request) -> Response:
        if faults.on("tsa_down"):
            return error(503, "DOWN", "时间戳服务暂不可用")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != QUERY:
            return error(415, "UNSUPPORTED_MEDIA_TYPE", f"{QUERY} is expected", "Content-Type")
        query = await request.body()
        made = timestamps.reply(query, ca.authorities.time_stamping, clock.now())
        return Response(made, media_type=REPLY)

    return [
        Route("/v1/root.pem", guard(_pem(ca.authorities.root), faults)),
        Route("/v1/issuing.pem", guard(_pem(ca.authorities.issuing), faults)),
        Route("/v1/tsa.pem", guard(_pem(ca.authorities.time_stamping), faults)),
        Route("/v1/crl.der", guard(revocation_list, faults)),
        Route("/v1/root-crl.der", guard(authority_revocation_list, faults)),
        Route("/v1/sm2/root.pem", guard(_text(sm2.pem(ca.sm2_authorities.root.certificate)), faults)),
        Route("/v1/sm2/issuing.pem", guard(_text(sm2.pem(ca.sm2_authorities.issuing.certificate)), faults)),
        Route("/v1/sm2/crl.der", guard(_sm2_list(ca, of_authorities=False), faults)),
        Route("/v1/sm2/root-crl.der", guard(_sm2_list(ca, of_authorities=True), faults)),
        Route("/v1/timestamps", guard(stamp, faults), methods=["POST"]),
    ]


def _sm2_list(ca: Ca, *, of_authorities: bool) -> Endpoint:
    async def show(_: Request) -> Response:
        made = ca.sm2_revocation_list(of_authorities=of_authorities)
        return Response(made, media_type="application/pkix-crl")

    return show


def _pem(signer: Signer) -> Endpoint:
    return _text(certificate_pem(signer.certificate))


def _text(pem: str) -> Endpoint:
    async def show(_: Request) -> Response:
        return Response(pem, media_type="application/x-pem-file")

    return show
