"""Writes the generated part of ``libs/client`` from the joined OpenAPI document: ``make client``."""
