"""connector-coda over HTTP (contract §7a)."""
