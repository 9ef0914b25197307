"""From an lxml tree to the model: `rules.py` is the engine, the other files are tables of tag → rule."""
