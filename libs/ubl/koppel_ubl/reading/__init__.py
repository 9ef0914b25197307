"""Reads a safe tree into the model, by the tables of ``mapping/``; what they have no place for is listed as unmapped."""
