"""How many packs of a drug the internet hospital's pharmacy has, and how many are kept for orders.

An order keeps packs from the moment its bill is opened; what ends without hand-over (expired, cancelled, declined, lapsed) gives
them back, a hand-over takes them away. A drug that nobody counted in is not counted: it is refused by nobody but the pharmacist.
Balances are sums of append-only moves, kept beside them under the row's lock.

Every quarter of an hour the hospital's own shelf is read for doctors to see beside a drug, with the time of the reading; nothing is decided by it.
Once a day our prices (drugs and services) and our shelf are compared with the hospital's own (`stock.compare`); what differs is an alarm, nothing is changed.
"""
