"""A stand-in for the finance department's platform of medical e-bills (医疗收费电子票据). The interface is INVENTED: the real ones
are provincial. Every answer, page and bill says that it is no valid bill.

What is taken from the rules (财综〔2018〕72号, 财综〔2019〕29号): a bill has a code of 8 digits, a number of 10 and a check
code of 6; it is never changed, only reversed as a whole by a red bill (冲红); anybody can verify it by the three.
"""
