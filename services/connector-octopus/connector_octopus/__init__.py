"""Koppel's connector to Octopus."""
