"""A cluster played on one machine: each service as processes of its own with its manifest's environment and probes."""
