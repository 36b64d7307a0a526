"""Figures for the people of the hospital.

A doctor's income counts visit fees only, never drugs (practice.md 18): what a doctor earns must not depend on what she
prescribes. There is no route that gives drug figures by doctor.
"""
