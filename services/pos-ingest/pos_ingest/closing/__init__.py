"""Closing periods: the invoice of a book's takings and the statement of its drawer, made once and handed to dossier-api."""
