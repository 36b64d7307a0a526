"""Adverse events (医疗、药品、器械不良事件): reported by staff, told to the city at once, settled by the quality department (医院办法 Art 22, 28).

A report is never changed: what is learned later is another report under a number of its own, which names the first one (decision 0113).
"""
