"""Bad input: the right status, a problem body that names the field, nothing changed, and a line in the audit trail."""

import json
import ssl
from typing import Any

import httpx
import pytest

from tests.world import World

API = "/api/v1"


async def send(world: World, token: str, path: str, content: bytes) -> httpx.Response:
    """A request no client of ours would make."""
    api = world.api(token)
    return await api.raw("POST", path, content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        (b"{", 400, "malformed_json", []),
        (b"\xff\xfe", 400, "malformed_json", []),
        (b"[]", 422, "invalid", [""]),
        (b"{}", 422, "invalid", ["name", "id_number"]),
        (b'{"name": 5, "id_number": []}', 422, "invalid", ["name", "id_number"]),
        (b'{"name": "\xe7\x8e\x8b\xe6\x98\x8e", "id_number": "1", "age": 3}', 422, "invalid", ["age"]),
        (json.dumps({"name": "王" * 61, "id_number": "1"}).encode(), 422, "invalid", ["name"]),
        (
            json.dumps({"name": "王明", "id_number": "11010519491231002"}).encode(),
            422,
            "invalid",
            ["id_number"],
        ),
        (
            json.dumps({"name": "王明", "id_number": "110105194913310021"}).encode(),
            422,
            "invalid",
            ["id_number"],
        ),
    ],
)
async def test_every_wrong_field_is_named(
    world: World, body: bytes, status: int, code: str, fields: list[str]
) -> None:
    patient = await world.a_patient()

    response = await send(world, patient.api.token, "/persons", body)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert [issue["field"] for issue in problem.get("issues", [])] == fields
    assert problem["request_id"] == response.headers["x-request-id"]


async def test_a_body_over_one_megabyte_is_refused(world: World) -> None:
    patient = await world.a_patient()

    response = await send(world, patient.api.token, "/persons", b'{"name": "' + b"a" * 1_000_001 + b'"}')

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_without_a_session_there_is_401_and_with_the_wrong_role_403(world: World) -> None:
    patient = await world.a_patient()

    nobody = await world.api().raw("GET", "/persons")
    forged = await world.api("forged-token").raw("GET", "/persons")
    wrong = await patient.api.raw("GET", "/reviews")

    assert (nobody.status_code, forged.status_code, wrong.status_code) == (401, 401, 403)
    assert forged.json()["code"] == "session_ended"


async def test_a_session_that_was_ended_opens_nothing(world: World) -> None:
    patient = await world.a_newcomer()
    await patient.api.call("POST", "/logout")

    assert (await patient.api.raw("GET", "/me")).status_code == 401


@pytest.mark.parametrize(
    "path", ["/encounters/{id}", "/appointments/{id}", "/payments/{id}", "/prescriptions/{id}"]
)
@pytest.mark.parametrize(
    "wanted", ["not-a-uuid", "6f1de4a0-95c7-4b7e-9f0e-5a2d1c3b4e5f", "%2e%2e", "0" * 400]
)
async def test_unknown_and_malformed_ids_look_the_same(world: World, path: str, wanted: str) -> None:
    patient = await world.a_newcomer()

    response = await patient.api.raw("GET", path.format(id=wanted))

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


async def test_unknown_paths_and_methods_have_problem_bodies(world: World) -> None:
    api = world.api()

    assert (await api.raw("GET", "/nothing-here")).json()["code"] == "not_found"
    assert (await api.raw("DELETE", "/persons")).status_code == 405


async def test_an_idempotency_key_is_for_one_request(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    slots = await patient.times(doctor=doctor.id)
    decision = await patient.asks()
    await patient.books(slots[-1], decision, key="one-request-only")

    body = {"person_id": patient.person_id, "slot_id": slots[-2]["id"], "eligibility_id": decision["id"]}
    response = await patient.api.raw(
        "POST", "/appointments", body, headers={"idempotency-key": "one-request-only"}
    )

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")


async def test_text_that_no_database_can_hold_is_refused(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    slot, decision = await patient.free_slot(doctor=doctor.id), await patient.asks()
    body = {
        "person_id": patient.person_id, "slot_id": slot["id"], "eligibility_id": decision["id"], "complaint": "头\x00晕",
    }  # fmt: skip

    response = await patient.api.raw("POST", "/appointments", body)

    assert response.status_code in (201, 400, 422)


async def test_a_gateway_knows_its_callers_and_its_paths(world: World) -> None:
    certificates = world.system.installation.certificates.hospital
    url = world.system.url("gateway-a")

    async def status(name: str | None, path: str, body: Any) -> int:
        context = ssl.create_default_context(cafile=str(certificates.root))
        if name is not None:
            pair = certificates[name]
            context.load_cert_chain(pair.certificate, pair.key)
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            return (await client.post(url + path, json=body)).status_code

    wanted = {"purpose": "eligibility", "id_number": "110105194912310021", "name": "王明"}

    assert await status("backend-api", "/his/v1/find-patient", wanted) == 200
    assert await status("adapter", "/his/v1/find-patient", wanted) == 403
    assert await status("backend-api", "/his/v1/everything", wanted) == 403
    assert await status("backend-api", "/his/v1/find-patient", {**wanted, "purpose": "curiosity"}) in (
        403,
        422,
    )
    with pytest.raises(httpx.TransportError):
        await status(None, "/his/v1/find-patient", wanted)
