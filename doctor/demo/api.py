"""The demo team's HTTP API: a bare 500 for every error, as such APIs are.

python api.py jobs.db     # prints its address, serves on loopback until it is stopped
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from models import Job, JobState, StepState  # type: ignore[import-not-found]
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

ROUTES: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "demo", "version": "1"},
    "paths": {"/jobs/{job_id}": {"get": {}, "post": {}}},
}


class Handler(BaseHTTPRequestHandler):
    """Answers GET /jobs/ID, and POST /jobs/ID, which does the next step."""

    engine: Any = None

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Read a job, or the list of routes."""
        if self.path == "/openapi.json":
            self.reply(200, ROUTES)
        else:
            self.act(advance=False)

    def do_POST(self) -> None:
        """Do the next step of a job."""
        self.act(advance=True)

    def act(self, *, advance: bool) -> None:
        """Read the job and answer; whatever goes wrong is a bare 500."""
        try:
            with Session(self.engine) as session:
                job = session.get(Job, self.path.removeprefix("/jobs/"))
                if job is None:
                    self.reply(404, {"detail": "not found"})
                    return
                if advance:
                    rest = [step for step in job.steps if step.state is StepState.OPEN]
                    if rest:
                        rest[0].state = StepState.DONE
                    job.state = JobState.WORKING if len(rest) > 1 else JobState.DONE
                    session.commit()
                self.reply(200, {"id": job.id, "state": job.state.value})
        except Exception:  # noqa: BLE001 - this is what the demo is about
            self.reply(500, "Internal Server Error")

    def reply(self, status: int, body: object) -> None:
        """Send an answer."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Serve the database named on the command line."""
    Handler.engine = create_engine(f"sqlite:///{sys.argv[1]}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
