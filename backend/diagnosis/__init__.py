"""Diagnosis codes: a small own subset of ICD-10 (national clinical edition 2.0 style) with names, and an importer's place.

The full table's licence is unclear (facts of the regulation, part c); a hospital loads its own list into the same CSV form.
"""
