"""Signatures of doctors and pharmacists over canonical bytes, made by the CA and kept with their certificate.

The row is written before the CA is asked and filled with its answer. A signature whose subject was edited is voided.
Source: 医院办法 Art 20 (electronic signature).
"""
