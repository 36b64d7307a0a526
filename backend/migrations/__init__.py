"""Dated migrations; each assumes that the code before it still runs (expand, deploy, contract)."""
