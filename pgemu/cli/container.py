"""placeholder"""


def run_container(arguments: list[str]) -> int:
    return 0
