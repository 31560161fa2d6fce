"""The incident's own API on a database server: `python incident_api.py URL` in its folder."""

from __future__ import annotations

import importlib
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

import sqlalchemy as sa


def main() -> None:
    """Serve until the end."""
    sys.path.insert(0, str(Path.cwd()))
    api = importlib.import_module("api")
    engine = sa.create_engine(sys.argv[1])
    handler = api.handler(engine, False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
