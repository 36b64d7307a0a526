"""Supervisors' questions (监管询问): what the city asked about a visit or a complaint, and what the hospital answered.

A question comes through a gateway (`ask-hospital`), once for its id; staff answer it at the desk; the platform fetches the answer
(`read-answer`). An answer is given once and never changed: a correction is the answer to another question.
"""
