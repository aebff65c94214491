"""Views, rules and row security put into queries; stored queries turned back into text."""
