"""Doctors and pharmacists, the departments they are filed for, and what that allows them.

Sources: 诊疗办法 Art 11 (subjects), 14 (registers), 25 (three years); 医院办法 Art 16, 29.
"""
