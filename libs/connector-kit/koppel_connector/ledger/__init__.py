"""What all connectors to ledgers share: master data as typed values, relations, open periods, checks.

A connector to a mailbox or a folder needs none of it. ``koppel_bookkeeping`` decides what to book; this package applies it to
what the kit holds for a connection (master data, memory) and to what only the vendor knows.
"""
