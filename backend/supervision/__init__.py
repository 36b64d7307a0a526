"""Sends sealed events to the regulator adapter and shows what has not arrived there (诊疗办法 Art 24)."""
