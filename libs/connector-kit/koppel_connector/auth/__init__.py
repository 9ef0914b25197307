"""How a call is authenticated: token vault, sessions, the consent of a user."""
