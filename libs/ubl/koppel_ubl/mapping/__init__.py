"""Which element holds which field: one table for both directions, reading and writing.

A table lists the elements of an aggregate in the order of the UBL 2.1 schema, so that writing follows it and reading
looks a tag up in it. Facts from the UBL 2.1 schema and EN 16931's syntax binding for UBL.
"""
