"""OAuth 2.0 client credentials for services and partners. Knows clients, keys and scopes; knows no documents."""
