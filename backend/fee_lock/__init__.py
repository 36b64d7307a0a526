"""While a patient pays a fee online, the hospital's window leaves it alone (docs/decisions/0088).

The lock is asked for when she opens the cashier, before the order is placed anywhere, and lifted when the bill is given up; it ends by
itself at `until`, and with the charge that is written back. It is a wish: a hospital that does not answer in time, or has no such
thing, stops nobody from paying. One answer does: the window has charged the fee already, or is about to.
"""
