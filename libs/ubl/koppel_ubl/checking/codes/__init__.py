"""Code lists: facts, each with its release; a new release changes the list and its release together."""
