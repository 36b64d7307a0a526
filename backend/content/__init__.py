"""Public documents of the hospital, each in versions: informed consent, price notice, booking rules, process, complaints …

Sources: seeds 003, 2.2 (the eight documents to publish); 医院办法 Art 18.
"""
