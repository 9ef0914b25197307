"""Reading: from a safe tree to the model. Each aggregate of UBL is a function; what none of them takes is listed."""
