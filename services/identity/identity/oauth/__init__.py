"""The OAuth endpoints on Authlib: tokens (RFC 6749 §4.4), introspection (RFC 7662), revocation (RFC 7009).

Authlib's flow is synchronous. Everything it needs — the client, the signing key, the token that is asked about — is read
beforehand, and the flow runs in a thread, where the slow secret hash belongs anyway. What it decides is written afterwards.
"""
