"""Plays visits through the front door: public HTTP and WebSocket only, as patient, doctor, pharmacist and courier would.

`python -m standalone journey` shows one whole visit step by step; tests and load use the same people.
"""

from standalone.journey.people import Courier, Doctor, Patient, Pharmacist, Phone, Staff
from standalone.journey.visiting import Places, Refused

__all__ = ["Courier", "Doctor", "Patient", "Pharmacist", "Phone", "Places", "Refused", "Staff"]
