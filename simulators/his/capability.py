"""The CapabilityStatement (https://hl7.org/fhir/R4/capabilitystatement.html), made from the tables that do the work."""

from simulators.his.outcomes import Json
from simulators.his.parameters import PARAMETERS, WRITABLE


def statement(base: str, made_on: str) -> Json:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": made_on,
        "kind": "instance",
        "software": {"name": "hospital simulator", "version": "1"},
        "implementation": {"description": "HIS, LIS, RIS (demo)", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "mutual TLS"},
                "resource": [_resource(kind) for kind in sorted(PARAMETERS)],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(kind: str) -> Json:
    codes = ["read", "vread", "search-type", *(["create", "update"] if kind in WRITABLE else [])]
    own = PARAMETERS[kind]
    references = [name for name, one in own.items() if one.kind == "reference"]
    return {
        "type": kind,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update" if kind in WRITABLE else "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": kind in WRITABLE,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "enforced"],
        "searchInclude": [f"{kind}:{name}" for name in references],
        "searchParam": [{"name": name, "type": one.kind} for name, one in own.items()],
    }
