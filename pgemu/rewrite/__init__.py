"""Views, rules and row security put into queries; stored queries turned back into text."""

from pgemu.rewrite.rewrite_handler import query_rewrite
from pgemu.rewrite.rewrite_view import view_query_is_auto_updatable

__all__ = ["query_rewrite", "view_query_is_auto_updatable"]
