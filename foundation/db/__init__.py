"""What a process with a database needs: one place that commits, one that moves states, and the rows that must not be lost.

Nobody commits but `unit_of_work`. State, audit line, outbox row and intent of one verb share its transaction.
"""
