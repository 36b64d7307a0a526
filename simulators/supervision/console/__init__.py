"""The supervisor's console (监管端): what the feed brought, persons masked; plain HTTP for loopback, behind a login.

Five concerns of the law (互联网医院管理办法, article 30): staff, prescriptions, medical acts, privacy, information security.
"""
