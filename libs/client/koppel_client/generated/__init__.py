# Generated from the joined OpenAPI document by `make client`.
"""The calls and models that the OpenAPI document describes."""
