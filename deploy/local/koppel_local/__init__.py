"""The whole mesh on one machine: the servers underneath, every service in one process, a demo firm, and the command."""
