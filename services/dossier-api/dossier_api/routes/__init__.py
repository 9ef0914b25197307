"""The HTTP side (contract §5)."""
