"""Text to raw trees (parser.py) and raw trees to analyzed queries (analyze.py)."""
