"""What every Koppel service shares: messages, outbox, inbox, broker, database, HTTP, tokens, settings, telemetry.

Nothing here knows a vendor, a document format or another service's tables.
"""
