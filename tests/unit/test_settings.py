from __future__ import annotations

import os

import pytest

from doctor.errors import UsageError
from doctor.model.tier import Tier
from doctor.settings import (
    BudgetSettings,
    HookSettings,
    RulesSettings,
    RunsSettings,
    Settings,
    StoreSettings,
    SystemSettings,
    Window,
    find_config,
    load_settings,
    parse_duration,
    parse_tier,
)


def load(folder, text=None, *, name="doctor.toml", environment=None, overrides=None):
    if text is not None:
        (folder / name).write_text(text, encoding="utf-8")
    return load_settings(None, start=folder, environment=environment or {}, overrides=overrides)


def refusal(folder, text, **more):
    with pytest.raises(UsageError) as caught:
        load(folder, text, **more)
    return caught.value


def test_without_a_file_everything_has_its_default(tmp_path):
    settings = load(tmp_path)
    assert settings == Settings()
    assert settings.hook == HookSettings(deadline=1.0, max_tier=Tier.ADVISE)
    assert settings.budget == BudgetSettings(
        run=Window(points=6, per=1800.0), system=Window(points=30, per=3600.0)
    )


def test_a_file_is_read_and_its_relative_paths_are_relative_to_it(tmp_path):
    text = """
engine = "reference"
[system]
database = "sqlite:///data/a.db?x=1"
database_readonly = "sqlite:////abs/b.db"
api = "http://127.0.0.1:8000"
models = "src/models.py"
logs = ["logs/{run_id}*.log", "/abs/x.log"]
error_reports = ["errors/*.json"]
[system.runs]
table = "runs"
key = "slug"
terminal = ["DONE"]
[store]
url = "sqlite+pysqlite:///.doctor/doctor.db"
[rules]
paths = ["doctor-rules/", "/abs/rules"]
[budget]
run = {points = 1, per = "90s"}
[hook]
deadline = "250ms"
max_tier = "SAFE"
[approvals]
ttl = "1.5h"
"""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "doctor.toml").write_text(text)
    settings = load(deep)
    assert settings.file == str(tmp_path / "doctor.toml")
    assert settings.engine == "reference"
    assert settings.system == SystemSettings(
        database=f"sqlite:///{tmp_path}/data/a.db?x=1",
        database_readonly="sqlite:////abs/b.db",
        api="http://127.0.0.1:8000",
        models=f"{tmp_path}/src/models.py",
        logs=(f"{tmp_path}/logs/{{run_id}}*.log", "/abs/x.log"),
        error_reports=(f"{tmp_path}/errors/*.json",),
        runs=RunsSettings(table="runs", key="slug", terminal=("DONE",)),
    )
    assert settings.store == StoreSettings(url=f"sqlite:///{tmp_path}/.doctor/doctor.db")
    assert settings.rules == RulesSettings(paths=(f"{tmp_path}/doctor-rules", "/abs/rules"))
    assert settings.budget.run == Window(points=1, per=90.0)
    assert settings.hook == HookSettings(deadline=0.25, max_tier=Tier.SAFE)
    assert settings.approvals.ttl == 5400.0


def test_a_folder_with_wildcards_in_its_name_is_no_pattern(tmp_path):
    folder = tmp_path / "[old]"
    folder.mkdir()
    assert load(folder, "[system]\nlogs = ['*.log']").system.logs == (f"{tmp_path}/[[]old]/*.log",)


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "postgresql://h/d", "sqlite://", "no url"])
def test_other_urls_stay_as_they_are(tmp_path, url):
    assert load(tmp_path, f"[system]\ndatabase = '{url}'").system.database == url


def test_a_pyproject_counts_where_it_has_the_section(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.doctor.system]\napi = 'http://h'\nmodels = 'm.py'"
    )
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1")
    (deep / "pyproject.toml").write_text("[project]\nname = 'x'")
    assert find_config(deep) == tmp_path / "pyproject.toml"
    settings = load(deep)
    assert (settings.system.api, settings.system.models) == ("http://h", str(tmp_path / "m.py"))
    explicit = load_settings(tmp_path / "a" / "pyproject.toml", environment={}, start=deep)
    assert explicit == Settings(file=str(tmp_path / "a" / "pyproject.toml"))


def test_the_nearest_file_wins_and_the_own_file_before_the_shared(tmp_path):
    deep = tmp_path / "a"
    deep.mkdir()
    (tmp_path / "doctor.toml").write_text("")
    (deep / "pyproject.toml").write_text("[tool.doctor]")
    assert find_config(deep) == deep / "pyproject.toml"
    (deep / "doctor.toml").write_text("")
    assert find_config(deep) == deep / "doctor.toml"
    (deep / "doctor.toml").unlink()
    (deep / "doctor.toml").mkdir()
    assert find_config(deep) == deep / "pyproject.toml"


def test_overrides_beat_the_environment_and_that_beats_the_file(tmp_path):
    text = "[system]\ndatabase = 'sqlite:///f.db'\napi = 'http://f'\nmodels = 'f.py'\n"
    text += "[hook]\ndeadline = '3s'"
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "doctor.toml").write_text(text)
    settings = load_settings(
        tmp_path / "conf" / "doctor.toml",
        start=tmp_path,
        environment={
            "DOCTOR_DATABASE": "sqlite:///e.db",
            "DOCTOR_API": "http://e",
            "DOCTOR_STORE": "sqlite:///store.db",
            "DOCTOR_ENGINE": "reference",
            "DOCTOR_HOOK_DEADLINE": "2s",
            "DOCTOR_HOOK_MAX_TIER": "GUARDED",
            "DOCTOR_MODELS": "",
            "DOCTOR_OTHER": "x",
        },
        overrides={
            ("system", "database"): "sqlite:///o.db",
            ("system", "api"): None,
            ("system", "logs"): ("o.log",),
            ("rules", "paths"): (),
        },
    )
    assert settings.system == SystemSettings(
        database=f"sqlite:///{tmp_path}/o.db",
        api="http://e",
        models=f"{tmp_path}/conf/f.py",
        logs=(f"{tmp_path}/o.log",),
    )
    assert settings.store.url == f"sqlite:///{tmp_path}/store.db"
    assert settings.engine == "reference"
    assert settings.hook == HookSettings(deadline=2.0, max_tier=Tier.GUARDED)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[systm]", "unknown setting 'systm'", "did you mean 'system'?"),
        ("[system]\ndatabse = 'x'", "unknown setting 'system.databse'", "did you mean 'database'?"),
        (
            "[system.runs]\ntabel = 'x'",
            "unknown setting 'system.runs.tabel'",
            "did you mean 'table'?",
        ),
        (
            "[budget]\nrun = {points = 1, per = '1s', pr = 1}",
            "unknown setting 'budget.run.pr'",
            "did you mean 'per'?",
        ),
        ("[hook]\nzzz = 1", "unknown setting 'hook.zzz'", None),
        ("file = 'x'", "unknown setting 'file'", None),
        (
            "engine = 'warp'",
            "setting 'engine': Input should be 'auto', 'durable' or 'reference'",
            None,
        ),
        ("[system]\nkind = 5", "setting 'system.kind': Input should be a valid string", None),
        ("[system]\napi = 5", "setting 'system.api': Input should be a valid string", None),
        ("[system]\nlogs = 'a.log'", "setting 'system.logs': Input should be a valid tuple", None),
        ("[system]\nlogs = [5]", "setting 'system.logs.0': Input should be a valid string", None),
        ("[rules]\npaths = [5]", "setting 'rules.paths.0': Input should be a valid string", None),
        (
            "[system]\nimport_models = 'yes'",
            "setting 'system.import_models': Input should be a valid boolean",
            None,
        ),
        (
            "[budget]\nrun = {points = 1.5, per = '1s'}",
            "setting 'budget.run.points': Input should be a valid integer",
            None,
        ),
        ("[budget]\nrun = {points = 1}", "setting 'budget.run.per': Field required", None),
        (
            "[hook]\ndeadline = 'soon'",
            "setting 'hook.deadline': 'soon' is not a duration such as '30m' or '90s'",
            None,
        ),
        (
            "[hook]\ndeadline = inf",
            "setting 'hook.deadline': inf is not a duration such as '30m' or '90s'",
            None,
        ),
        (
            "[hook]\nmax_tier = 'safe'",
            "setting 'hook.max_tier': 'safe' is not one of ADVISE, SAFE, GUARDED, IRREVERSIBLE",
            None,
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_and_the_nearest_name(tmp_path, text, message, hint):
    error = refusal(tmp_path, text)
    assert (error.message, error.hint, error.location) == (
        message,
        hint,
        str(tmp_path / "doctor.toml"),
    )


@pytest.mark.parametrize("text", ["system = 3", "system = []", "store = 1", "rules = 'x'"])
def test_a_section_that_is_no_table_is_refused(tmp_path, text):
    name = text.partition(" ")[0]
    assert refusal(tmp_path, text).message.startswith(f"setting {name!r}: Input should be")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tool = 3", "setting 'tool' is 3, not a table"),
        ("[tool]\ndoctor = 3", "setting 'doctor' is 3, not a table"),
        ("[tool.doctor]\nx = 3", "unknown setting 'x'"),
    ],
)
def test_a_pyproject_with_a_wrong_section_is_refused(tmp_path, text, message):
    assert refusal(tmp_path, text, name="pyproject.toml").message == message


def test_a_wrong_value_in_the_environment_is_refused(tmp_path):
    error = refusal(tmp_path, None, environment={"DOCTOR_HOOK_DEADLINE": "1"})
    assert str(error) == (
        "settings: setting 'hook.deadline': '1' is not a duration such as '30m' or '90s'"
    )


@pytest.mark.parametrize(
    "content", [b"a = ", b"\xff\xfe", b"a = 1\na = 2", b"x = " + b"[" * 100_000]
)
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    (tmp_path / "doctor.toml").write_bytes(content)
    error = refusal(tmp_path, None)
    assert error.message.startswith("not valid TOML: ")
    assert error.location == str(tmp_path / "doctor.toml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path, reason in (
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UsageError) as caught:
            load_settings(path, environment={})
        assert str(caught.value) == f"cannot read {path}: {reason}"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    (tmp_path / "doctor.toml").write_text("")
    (tmp_path / "doctor.toml").chmod(0)
    assert "Permission denied" in refusal(tmp_path, None).message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("90s", 90.0),
        ("1.5m", 90.0),
        (" 2 h ", 7200.0),
        ("1d", 86400.0),
        (1.5, 1.5),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "-5s",
        "0s",
        "0ms",
        "5 weeks",
        "1h30m",
        "1e3s",
        "9" * 400 + "s",
        "40000d",
        5,
        True,
        0.0,
        -1.0,
        float("inf"),
        float("nan"),
        None,
        ["1s"],
    ],
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("tier", Tier)
def test_a_tier_is_its_name(tier):
    assert parse_tier(tier.name) is tier
    assert parse_tier(tier) is tier


@pytest.mark.parametrize("text", ["", "safe", "SAFE ", 1, None, ["SAFE"]])
def test_what_is_no_tier_is_refused(text):
    with pytest.raises(ValueError, match="is not one of ADVISE, SAFE, GUARDED, IRREVERSIBLE"):
        parse_tier(text)
