"""Run the command line with ``python -m hrixs``."""

import sys

from hrixs.cli.main import main

sys.exit(main())
