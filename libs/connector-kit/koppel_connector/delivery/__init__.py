"""A delivery's way: events, the pure state machine, the store, and the loops that claim, send, look up and read back."""
