"""A conformance kit: numbered cases that any receiver of a profile can be run against, ours or a province's test environment.

`python -m regulator_adapter.conformance <url> --profile tianjin-1.0 …`; docs/new-profile.md says how. It makes its records from the profile's
tables alone (`examples`), sends what a hospital would send and what it must not, and says of each case whether the receiver did what the
interface says (`cases`). It stores test records: never run it against a platform that patients' records go to.
"""
