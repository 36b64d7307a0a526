"""The number pool (号源): time segments of doctors with a capacity and a counter of what remains.

A slot has no state machine: the counter and its constraint are the truth, FHIR's slot status is derived at the edge.
A place is taken and given back only here.
"""
