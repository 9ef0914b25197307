"""HTTP surface of the identity service (contract §3)."""
