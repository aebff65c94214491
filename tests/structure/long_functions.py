"""Functions over 60 lines, each with the reason why it is not shorter."""

LONG_FUNCTIONS: dict[str, str] = {}
