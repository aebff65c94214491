"""Procedural languages: PL/pgSQL (PostgreSQL: src/pl)."""
