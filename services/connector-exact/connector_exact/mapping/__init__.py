"""Pure mapping: a read document and the vendor's masters in, the bodies of Exact's REST API out. No I/O, no clock."""
