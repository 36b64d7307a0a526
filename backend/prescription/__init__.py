"""A prescription: written and signed by the receiving doctor, reviewed and signed by a pharmacist, then payable.

What is signed is canonical JSON; any edit voids both signatures. Paying and dispensing need `approved`: the table says so.
Sources: 医院办法 Art 20; 处方管理办法; 医疗机构处方审核规范 (2018).
"""
