"""What docs/retention.md says, from the declarations of all tables."""
