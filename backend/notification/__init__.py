"""Telling people: a row first, delivery by a job, and never a diagnosis or a drug in the text (practice.md 9)."""
