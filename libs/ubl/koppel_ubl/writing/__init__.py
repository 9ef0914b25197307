"""From the model to bytes: elements in the order of the tables in ``mapping``, which is the order of the schema."""
