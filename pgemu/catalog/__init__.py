"""The system catalogs: rows, caches, name spaces, dependencies, privileges, and the template."""
