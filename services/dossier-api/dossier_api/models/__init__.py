"""Requests and answers as values: what comes in is checked here, what goes out is shaped here."""
