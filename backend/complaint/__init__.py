"""Complaints and disputes: a public channel with a deadline; nothing deletes one (seeds 003, 2.2; 医院办法 Art 32)."""
