"""Pure mapping: a booking and the division's master data in, the bodies of Exact's REST API out. No I/O, no clock."""
