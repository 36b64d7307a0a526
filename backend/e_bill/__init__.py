"""Medical e-bills: issued after the money is proven, reversed by a red bill after a refund is proven, never before.

A bill is not changed. What a partial refund leaves is billed anew: the first bill is reversed as a whole, a second one is
issued for the rest (财综〔2018〕72号 knows no partial reversal).
"""
