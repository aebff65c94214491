"""`python -m pgemu`."""

import sys

from pgemu.cli import main

if __name__ == "__main__":
    sys.exit(main())
