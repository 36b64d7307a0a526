"""The pre-dispensing review engine (前置审方): pure, rules with id, version, article and source. It screens; a pharmacist
decides. Nothing is approved by a machine, nothing is drafted by one.

Sources: 医疗机构处方审核规范 (2018) for the three parts; 诊疗办法 Art 19 for what may never be online; 处方管理办法 for numbers.
"""
