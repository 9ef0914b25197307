"""A period's documents to an office outside the platform, in one mail or a few (R070), and the notice that all is in (R025)."""
