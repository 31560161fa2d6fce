from __future__ import annotations

import json

import pytest

from doctor.errors import SourceError
from doctor.model.layout import Member
from doctor.runs.route import fill_route, find_route, openapi_route, run_of_path, stored_route
from doctor.runs.route import logged_route as logged
from doctor.system.api import BoundedApi
from tests.support.paths import CORPUS
from tests.support.ports import answering, make_database, read_door, server

GET: dict[str, object] = {"get": {}}


@pytest.mark.parametrize(
    ("paths", "table", "route"),
    [
        ({"/runs/{run_id}": GET}, "runs", "/runs/{}"),
        ({"/runs/{run_id}": GET}, "run", "/runs/{}"),
        ({"/run/{id}": GET}, "Runs", "/run/{}"),
        ({"/stories/{id}": GET}, "story", "/stories/{}"),
        ({"/pipeline-runs/{id}": GET}, "pipeline_runs", "/pipeline-runs/{}"),
        ({"/runs/{id}/": GET}, "runs", "/runs/{}/"),
        ({"/runs/{run_id}": GET}, None, "/runs/{}"),
        ({"/v2/runs/{id}": GET, "/runs/{id}": GET, "/a/runs/{id}": GET}, "runs", "/runs/{}"),
        ({"/runs/{id}/phases": GET}, "runs", None),
        ({"/runs/{id}/phases/{n}": GET}, "phases", None),
        ({"/runs/{id}": {"delete": {}}}, "runs", None),
        ({"/runs": GET}, "runs", None),
        ({"/{id}": GET}, "runs", None),
        ({"/jobs/{id}": GET}, "runs", None),
        ({"/runs/x{id}": GET}, "runs", None),
        ({}, "runs", None),
        ([], "runs", None),
        (None, "runs", None),
        (7, "runs", None),
        ({"/runs/{id}": []}, "runs", None),
        ({"/runs/{id}": None}, "runs", None),
    ],
)
def test_the_get_of_one_run_reads_like_the_run_table(paths, table, route):
    assert openapi_route({"paths": paths}, table) == route


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
@pytest.mark.parametrize("name", ["openapi_autopack.json", "openapi_backend.json"])
def test_the_route_of_the_real_apis_is_found(name):
    document = json.loads((CORPUS / "incident" / name).read_text(encoding="utf-8"))
    assert openapi_route(document, "runs") == "/runs/{}"


@pytest.mark.parametrize(
    ("seen", "run", "route"),
    [
        (["/api/runs/r1"], "r1", "/api/runs/{}"),
        (["/api/runs/r1/"], "r1", "/api/runs/{}"),
        (["/x/y/r1", "/runs/r1", "/jobs/r1"], "r1", "/jobs/{}"),
        (["/runs/a%20b"], "a b", "/runs/{}"),
        (["/runs/r1/phases"], "r1", None),
        (["/runs/r2"], "r1", None),
        ([], "r1", None),
    ],
)
def test_the_shortest_logged_path_that_ends_in_the_run_is_its_route(seen, run, route):
    assert logged(seen, run) == route


def asked(body, *, status=200, seen=(), run="r1"):
    with server(answering(status, body)) as port:
        return find_route(BoundedApi(f"http://127.0.0.1:{port}"), "runs", seen, run)


def test_the_api_is_asked_before_the_logs():
    document = json.dumps({"paths": {"/runs/{run_id}": GET}}).encode()
    assert asked(document, seen=["/old/r1"]) == "/runs/{}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 200),
        (b"[]", 200),
        (b"7", 200),
        (b"no json", 200),
        (b"\xff\xfe", 200),
        (b"[" * 200_000, 200),
        (b'{"paths": ' + b'{"a": ' * 50_000, 200),
        (b'{"paths": {"/runs/{id}": {"get": {}}}}', 404),
    ],
)
def test_a_useless_document_leaves_the_logs(body, status):
    assert asked(body, status=status, seen=["/old/r1"]) == "/old/{}"
    with pytest.raises(SourceError, match="does not say how one run is read") as caught:
        asked(body, status=status)
    assert caught.value.hint == "give a log of the executor with --log"


def test_a_run_in_the_database_shows_which_path_names_runs(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY)",
        "INSERT INTO runs VALUES ('r 1'), ('r2')",
    )
    door = read_door(path)
    top = Member("run", door.tables()[0], "id")
    assert stored_route(["/api/health", "/api/runs/r%201/phases/3"], top, door) == "/api/runs/{}"
    assert stored_route(["/api/health", "//", ""], top, door) is None
    many = [f"/{number:04}" for number in range(600)]
    assert stored_route([*many, "/r2"], top, door) is None


@pytest.mark.parametrize(
    ("run", "path"),
    [("r1", "/runs/r1"), ("a b", "/runs/a%20b"), ("../x?y#z", "/runs/..%2Fx%3Fy%23z")],
)
def test_a_run_id_is_one_segment_of_its_path(run, path):
    assert fill_route("/runs/{}", run) == path
    assert run_of_path(path, "/runs/") == run
    assert run_of_path(f"{path}/phases", "/runs/") == run


def test_a_path_without_a_run_names_none():
    assert run_of_path("/jobs/r1", "/runs/") is None
    assert run_of_path("/runs/", "/runs/") is None
