"""One language for conditions: what a rule asks of an order, and a segment of a customer.

A condition is a tree of questions (`tree`) about registered fields (`fields`), each with the
operators of its type (`operators`). It is answered in Python (`predicate`) and by the database
(`query`), alike, and read out in words (`sentences`).
"""
