"""python -m worker: a worker of its own, until SIGTERM or Ctrl-C."""

import logging
import signal
import sys

from db.engine import DatabaseProblem, migrate
from db.settings import SettingProblem
from worker import loop


def main() -> int:
    """0 when it was asked to end, 1 when the database cannot be used as it is."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        migrate()
    except (DatabaseProblem, SettingProblem) as problem:
        print(problem.sentence, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running = loop.start()
    print("The worker runs. Ctrl-C ends it.", flush=True)
    try:
        running.wait()
    except KeyboardInterrupt:
        running.stop()
    print("The worker has ended.", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
