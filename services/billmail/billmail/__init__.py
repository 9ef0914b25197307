"""Mail targets: documents go to the mailboxes of packages and offices. A target is data (``profiles.toml``)."""
