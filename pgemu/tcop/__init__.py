"""The backend's loop: messages in, statements run, rows out (PostgreSQL's tcop/)."""
