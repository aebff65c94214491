"""Runs plans on SQLite; the session that all other rooms pass around lives here."""
