"""The waiting room (practice.md 7, 8): how many are before one, how long that takes, and what happens when the doctor is late.

The estimate comes from the doctor's own recent visits and is said as a range. When a patient has waited too long she chooses
between her money and her place; before anything is refunded the duty desk may, if she agrees, hand her over to a colleague
who is filed for the department and on shift.
"""
