"""Cash books: what goes in and out of a drawer, whose balance is the lock, and its statements (R131, R133, R135)."""
