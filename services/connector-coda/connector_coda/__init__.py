"""Bank and cash statements: each account's chain, and whose turn it is."""
