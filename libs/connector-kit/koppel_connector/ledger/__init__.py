"""What a connector to a ledger would write like every other: master data as typed values, relations, open periods, checks.

A connector to a mailbox or a folder needs none of it. ``koppel_bookkeeping`` decides what to book; here that meets what the kit
holds for a connection (master data, memory) and what only the vendor can tell.
"""
