"""The command `scripts/demo`."""

import signal
import sys

# Until there is something to clean up, a Ctrl-C simply ends.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from .command import main  # noqa: E402  (takes a moment)

if __name__ == "__main__":
    sys.exit(main())
