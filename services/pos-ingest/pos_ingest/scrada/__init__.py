"""Scrada's own API, so that a till that speaks it changes a host name and nothing else (API 1.24)."""
