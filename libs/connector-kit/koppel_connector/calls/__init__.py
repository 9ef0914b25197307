"""One call to a vendor: the attempt in the sync log, the rate limits, the bytes, the outcome."""
