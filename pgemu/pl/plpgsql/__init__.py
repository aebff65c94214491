"""PL/pgSQL: scanner, grammar, compiler and interpreter (PostgreSQL: src/pl/plpgsql)."""
