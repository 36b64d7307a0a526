"""Booking: one patient, one place in one slot, one registration fee.

A request holds the place for ten minutes; payment confirms it. Only verified, consenting, eligible persons book
(监管细则 2022; 医院办法 Art 18, 20), with a quota per person against scalpers (seeds 003, 3.2.1).
"""
