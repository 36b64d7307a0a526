"""`GET /cds-services`, `POST /cds-services/order-sign`."""

import json
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.review_server.settings import Settings
from simulators.server import BodyLimit, Clock, Faults, control_routes, error, exception_handlers

RULES = Path(__file__).parent / "rules.toml"
SERVICE = "/cds-services/order-sign"
DRUG_SYSTEM = "urn:internet-hospital:drug"
LABEL = "示范审方公司"


def declared_faults() -> Faults:
    return Faults(down=bool, slow_seconds=float, garbage=bool, precondition=bool)


class Doorman:
    """Lets in who has a fresh token of a caller it knows, once."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        listed = json.loads(settings.callers.read_text(encoding="utf-8"))["issuers"]
        self._callers = {one["iss"]: jwt.PyJWKSet.from_dict(one["jwks"]) for one in listed}
        self._audience, self._clock = f"{settings.address}{SERVICE}", clock
        self._used: set[str] = set()

    def lets_in(self, request: Request) -> bool:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            unverified = jwt.decode(token, options={"verify_signature": False})
            kid = jwt.get_unverified_header(token)["kid"]
            key = next(one for one in self._callers[unverified["iss"]].keys if one.key_id == kid)
            claims = jwt.decode(
                token, key.key, algorithms=["ES384"], audience=self._audience,
                options={"require": ["exp", "iat", "jti"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, StopIteration):
            return False
        now = self._clock.now().timestamp()
        if not claims["iat"] - 60 <= now < claims["exp"] or claims["jti"] in self._used:
            return False
        self._used.add(claims["jti"])
        return True


def create_app(settings: Settings, clock: Clock, faults: Faults) -> Starlette:
    doorman = Doorman(settings, clock)
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))

    async def discover(_: Request) -> Response:
        offered = {
            "hook": "order-sign",
            "id": "order-sign",
            "title": LABEL,
            "description": "审方",
            "prefetch": {},
        }
        return JSONResponse({"services": [offered]})

    async def sign(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        if not doorman.lets_in(request):
            return error(401, "UNAUTHORIZED", "令牌无效")
        if faults.on("garbage"):
            return Response("<html>系统维护中", media_type="text/html")
        body = await request.json()
        if faults.on("precondition") or "patient" not in body.get("prefetch", {}):
            return error(412, "PRECONDITION", "缺少预取数据")
        if body["hook"] != "order-sign" or not body["hookInstance"]:
            return error(400, "BAD_HOOK", "请求不合规范")
        return JSONResponse({"cards": _cards(body, rules)})

    return Starlette(
        routes=[
            Route("/cds-services", discover),
            Route(SERVICE, sign, methods=["POST"]),
            *control_routes(settings.common.env, clock, faults),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers=exception_handlers(),
    )


def _cards(body: dict[str, Any], rules: dict[str, Any]) -> list[dict[str, Any]]:
    orders = [one["resource"] for one in body["context"]["draftOrders"]["entry"]]
    lines = {code: place for place, order in enumerate(orders) if (code := _drug(order))}
    taken = {_drug(one["resource"]) for one in body["prefetch"].get("medications", {"entry": []})["entry"]}
    cards = [
        _card(rule, max(lines.get(code, -1) for code in rule["drugs"]))
        for rule in rules["pair"]
        if all(code in lines or code in taken for code in rule["drugs"])
        and any(code in lines for code in rule["drugs"])
    ]
    return cards + [_card(rule, lines[rule["drug"]]) for rule in rules["single"] if rule["drug"] in lines]


def _drug(order: dict[str, Any]) -> str:
    coding = order["medicationCodeableConcept"]["coding"]
    return next((str(one["code"]) for one in coding if one["system"] == DRUG_SYSTEM), "")


def _card(rule: dict[str, Any], line: int) -> dict[str, Any]:
    card: dict[str, Any] = {
        "uuid": str(uuid4()), "summary": rule["summary"], "indicator": rule["indicator"], "source": {"label": LABEL},
    }  # fmt: skip
    if "severity" in rule:
        said = {"rule": rule["rule"], "version": "7", "severity": rule["severity"], "line": line}
        card["extension"] = {"cn.nanxiang.review": said}
    return card
