"""What the patient says of a visit: once per visit, reported to the supervisor after the visit itself was accepted."""
