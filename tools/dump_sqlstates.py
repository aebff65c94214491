"""Write pgemu/errors/codes.py from the errcodes.txt of an installed PostgreSQL.

Usage: python tools/dump_sqlstates.py "$(pg_config --sharedir)/errcodes.txt"
"""

import re
import sys
from pathlib import Path

HEAD = '''"""SQLSTATE rows: one constant per condition of PostgreSQL 15, named as its documentation
names them (appendix "PostgreSQL Error Codes").  Written by tools/dump_sqlstates.py."""

'''


def main(source: str) -> None:
    rows = re.findall(r"^([0-9A-Z]{5})\s+[EWS]\s+ERRCODE_(\w+)", Path(source).read_text(), re.M)
    target = Path(__file__).parent.parent / "pgemu" / "errors" / "codes.py"
    target.write_text(HEAD + "".join(f'{name} = "{code}"\n' for code, name in rows))


if __name__ == "__main__":
    main(sys.argv[1])
