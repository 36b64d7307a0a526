"""Prescriptions in the national insurance's circulation (医保电子处方中心). Off unless the hospital is connected.

After approval: pre-checked, signed by the insurance, uploaded; a withdrawn one is undone. Each step is written down before the next;
what the centre refuses waits for a person, and the prescription itself goes on.
"""
