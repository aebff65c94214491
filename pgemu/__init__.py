"""pgemu: a PostgreSQL 15 server emulator."""

__version__ = "0.1.0"
