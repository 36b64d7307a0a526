"""When doctors sit (排班): weekly sessions in versions, changes of single days, holidays, who reviews, and the slots that follow.

A session is a span of a Shanghai day cut into segments; each segment becomes a slot of the number pool (`schedule`). What
stands in these tables is the plan; `layout` compares it with the slots that are there and never touches a place that
somebody has: such a change is refused here, and `rescheduling` stops or moves the patients first.

Slots are released some days ahead at a fixed hour (booking rules, seeds 003), only for doctors filed for the department
(诊疗办法 Art 14; 医院办法 Art 16), and only where a pharmacist is planned until the review is done (practice.md 12; 基本标准
三(三)). Slots of the hospital's own system are mirrored instead where `ScheduleSource` says so; a mirror that was not
refreshed in time stops selling by itself: each slot says until when it may be trusted.
"""
