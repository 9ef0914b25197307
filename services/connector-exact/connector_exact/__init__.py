"""Koppel's connector to Exact Online (see README.md for the vendor's oddities)."""
