"""The money desk: finding orders, agreeing to refunds or not, asking for one that no rule foresees; and the public rules.

Money itself is moved by `payment`; here people look and decide. Who proposed a refund never approves it (four eyes).
"""
