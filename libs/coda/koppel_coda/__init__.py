"""CODA, the Belgian coded statement of account: read, written and checked."""
