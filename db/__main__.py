"""The command line: python -m db COMMAND. See python -m db --help."""

import sys

from db.cli import main

if __name__ == "__main__":
    sys.exit(main())
