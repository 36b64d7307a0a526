"""Who got the places, published for everybody to read (N7): shares and counts of the last days, and the rules in force.

No person, doctor or account is in it. A report is kept for each day; today's is made anew now and then, never for each reader.
"""
