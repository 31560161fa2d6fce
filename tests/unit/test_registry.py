from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib import metadata

import pytest

from doctor.errors import UsageError
from doctor.registry import PluginRecord, build_registry, load_registry

GOOD = """
from doctor import FactKind, hookimpl


class Probe:
    name = "{name}.probe"
    kinds = (FactKind("{name}.kind", "x", ()),)

    def collect(self, system, run):
        return ()


class Fixer:
    name = "{name}.fixer"

    def propose(self, diagnosis, system):
        return ()


@hookimpl
def doctor_probes():
    return (Probe(),)


@hookimpl
def doctor_fixers():
    return (Fixer(),)
"""
HOOK = "from doctor import hookimpl\n@hookimpl\ndef doctor_{}():\n    {}\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install distributions: a folder with modules and a .dist-info each, on sys.path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def build(name, modules, *, packs=None, version="1.2"):
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = ["[doctor.plugins]", *(f"{one} = {name}_{one}" for one in modules)]
        lines += [
            "[doctor.rulepacks]",
            *(f"{one} = {value}" for one, value in (packs or {}).items()),
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for one, source in modules.items():
            (tmp_path / f"{name}_{one}.py").write_text(textwrap.dedent(source))
        return metadata.PathDistribution(info)

    yield build
    for name in set(sys.modules) - before:
        if name.startswith(("first_", "second_")):
            del sys.modules[name]


def built(*distributions):
    entries = [one for distribution in distributions for one in distribution.entry_points]
    return build_registry(
        [one for one in entries if one.group == "doctor.plugins"],
        [one for one in entries if one.group == "doctor.rulepacks"],
    )


def test_plugins_bring_probes_and_fixers_in_the_order_of_their_names(install):
    registry = built(install("first", {"a": GOOD.format(name="a"), "b": GOOD.format(name="b")}))
    assert [one.name for one in registry.probes] == ["a.probe", "b.probe"]
    assert [one.name for one in registry.fixers] == ["a.fixer", "b.fixer"]
    assert registry.records == tuple(
        PluginRecord(name, "first", "1.2", ("doctor_fixers", "doctor_probes"), isolated=True)
        for name in "ab"
    )
    assert registry.fixer("b.fixer") is registry.fixers[1]
    assert registry.fixer("c.fixer") is None


BROKEN = {
    "raise ValueError('odd')": "ValueError: odd",
    "import no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    "def (": "invalid syntax",
    "import sys\nsys.exit(3)": "SystemExit: 3",
    HOOK.format("probs", "return ()"): "unknown hook 'doctor_probs'",
    "from doctor import hookimpl\n@hookimpl\ndef doctor_probes(more):\n    return ()": "more",
    HOOK.format("probes", "raise KeyError('x')"): "KeyError: 'x'",
    HOOK.format("probes", "return 5"): "TypeError: 'int' object is not iterable",
    HOOK.format("probes", "yield from (1 / 0 for _ in 'x')"): "ZeroDivisionError: division by zero",
    HOOK.format("probes", "return [object()]"): "object is no probe: it needs name, kinds, collect",
    HOOK.format("fixers", "return [object()]"): "object is no fixer: it needs name and propose",
    GOOD.format(name="x").replace('"x.probe"', "None"): "Probe is no probe",
    GOOD.format(name="x").replace("kinds = (", "kinds = ('x', "): "Probe is no probe",
    GOOD.format(name="x").replace("def collect", "def look"): "Probe is no probe",
    GOOD.format(name="x").replace("def propose", "def cure"): "Fixer is no fixer",
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_plugin_is_recorded_and_silences_no_other(install, source):
    registry = built(install("first", {"a": source, "b": GOOD.format(name="b")}))
    assert [one.name for one in registry.probes] == ["b.probe"]
    broken, good = registry.records
    assert (broken.name, broken.distribution, broken.hooks) == ("a", "first", ())
    assert broken.failure is not None
    assert BROKEN[source] in broken.failure
    assert good.failure is None


def test_what_interrupts_a_plugin_of_others_is_its_failure_like_any_other(install):
    registry = built(install("first", {"a": "raise KeyboardInterrupt"}))
    assert registry.records[0].failure == "the plugin a of first failed: KeyboardInterrupt"


def test_a_plugin_without_hooks_or_with_nothing_to_bring_is_no_failure(install):
    nothing = HOOK.format("probes", "return None")
    registry = built(install("first", {"a": "x = 1", "b": nothing}))
    assert registry.records == (
        PluginRecord("a", "first", "1.2", (), isolated=True),
        PluginRecord("b", "first", "1.2", ("doctor_probes",), isolated=True),
    )
    assert registry.probes == ()


@pytest.mark.parametrize("noun", ["probe", "fixer"])
def test_two_plugins_with_one_name_are_named_both(install, noun):
    source = GOOD.format(name="same")
    source = source.replace(f"same.{'fixer' if noun == 'probe' else 'probe'}", "{other}")
    registry = built(
        install("first", {"a": source.replace("{other}", "x")}),
        install("second", {"b": source.replace("{other}", "y")}),
    )
    clash = f"two plugins bring a {noun} called 'same.{noun}': "
    assert [one.failure for one in registry.records] == [
        f"{clash}a of first and b of second",
        f"{clash}b of second and a of first",
    ]
    assert (registry.probes, registry.fixers) == ((), ())


def test_a_name_that_a_plugin_brings_twice_is_its_failure(install):
    source = GOOD.format(name="same").replace("(Probe(),)", "(Probe(), Probe())")
    (record,) = built(install("first", {"a": source})).records
    assert record.failure == "it brings two probes called 'same.probe'"


def test_commands_and_rule_folders_are_brought(install, tmp_path):
    source = (
        "import pathlib\nfrom doctor import hookimpl\n"
        "@hookimpl\ndef doctor_commands(cli):\n    cli.append('called')\n"
        "@hookimpl\ndef doctor_rule_packs():\n    return [pathlib.Path(__file__).parent]\n"
    )
    registry = built(install("first", {"a": source}))
    called: list[str] = []
    for extend in registry.extenders:
        extend(called)
    assert called == ["called"]
    assert [(one.name, one.folder, one.builtin) for one in registry.packs] == [
        ("a", tmp_path, False)
    ]


def test_a_pack_is_found_without_running_its_code_and_one_that_is_not_there_is_recorded(
    install, tmp_path
):
    (tmp_path / "first_rules").mkdir()
    (tmp_path / "first_rules" / "__init__.py").write_text("")
    (tmp_path / "first_exits").mkdir()
    (tmp_path / "first_exits" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "first_exits" / "rules").mkdir()
    packs = {
        "gone": "first_gone",
        "lost": "first_rules.gone",
        "exits": "first_exits.rules",
        "good": "first_rules",
    }
    registry = built(install("first", {}, packs=packs))
    assert [(one.name, one.folder, one.builtin) for one in registry.packs] == [
        ("exits", tmp_path / "first_exits" / "rules", False),
        ("good", tmp_path / "first_rules", False),
    ]
    assert {one.name: one.failure for one in registry.records} == {
        "gone": "ModuleNotFoundError: No module named 'first_gone'",
        "lost": "ModuleNotFoundError: No module named 'first_rules.gone'",
        "exits": None,
        "good": None,
    }


def test_an_entry_point_without_a_distribution_has_no_origin():
    entry = metadata.EntryPoint("a", "no_such_module", "doctor.plugins")
    (record,) = build_registry([entry], []).records
    assert (record.distribution, record.version) == ("?", "?")


BUILTIN = [
    "bad_cells",
    "documentation",
    "drift",
    "enum_values",
    "error_reports",
    "get_run",
    "id_conventions",
    "relations",
    "run_row",
]
BUILTIN += ["stored_rows", "tables"]


def names(environment):
    registry = load_registry(environment)
    return [one.name for one in registry.records if one.hooks != ("rules",) and not one.failure]


def test_everything_that_is_installed_is_loaded(install):
    install("first", {"extra": GOOD.format(name="extra")})
    assert sorted([*BUILTIN, "extra"]) == names({})
    builtin = [one.name for one in load_registry({}).packs if one.builtin]
    assert builtin == ["builtin"]


@pytest.mark.parametrize(
    ("chosen", "loaded"),
    [("", []), (" , ", []), ("tables", ["tables"]), (" tables, get_run ,", ["get_run", "tables"])],
)
def test_only_the_chosen_plugins_are_loaded_and_every_pack(chosen, loaded):
    registry = load_registry({"DOCTOR_PLUGINS": chosen})
    assert names({"DOCTOR_PLUGINS": chosen}) == loaded
    assert [one.name for one in registry.packs] == ["builtin"]


def test_a_chosen_plugin_that_is_not_installed_is_refused():
    with pytest.raises(UsageError) as caught:
        load_registry({"DOCTOR_PLUGINS": "tables,enum_value"})
    assert str(caught.value) == "DOCTOR_PLUGINS names 'enum_value', and no such plugin is installed"
    assert caught.value.hint == f"installed are {', '.join(BUILTIN)}"


def test_without_plugins_of_others_nothing_of_their_host_is_imported():
    code = (
        "import sys; from doctor.registry import load_registry; load_registry();"
        " print([one for one in sys.modules if one.startswith('doctor.guests.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['doctor.guests.brought', 'doctor.guests.loading']\n"
