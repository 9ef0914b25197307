"""Dossiers, their documents and the bytes of those, and the state a person sees. Decides no moment, talks to no vendor."""
