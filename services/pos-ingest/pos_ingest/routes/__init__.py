"""HTTP routes of pos-ingest."""
