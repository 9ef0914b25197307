"""From a row that is due to an answer that is recorded."""
