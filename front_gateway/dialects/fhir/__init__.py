"""FHIR R4 (4.0.1), as `docs/hospital_fhir.md` writes it down request by request.

`systems` names identifiers and codes, `resources` is what is read of a resource, `bundles` takes search answers apart,
`client` speaks HTTP, `patients`, `visits`, `history` read, `write_back` and its neighbours write, `dialect` is the table.
"""
