"""``python -m linnet`` is the command ``linnet``."""

import sys

from linnet.cli import main

sys.exit(main())
