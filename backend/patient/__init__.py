"""Real persons: each exists once, whoever registers them; accounts hold revocable grants (practice.md 1, 2).

A person enters only after the real-name service said `match`; a service that does not answer never counts as a yes.
Sources: 监管细则 2022 (real name before booking); 医院办法 Art 18 (informed consent).
"""
