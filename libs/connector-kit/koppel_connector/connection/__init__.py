"""A connection: its row, its settings, its master data, and the loops that keep it alive."""
