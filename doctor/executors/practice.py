"""Keeps settings, rules and engine warm between questions; reads them again when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from doctor.doctor import Doctor
from doctor.inference import DurableEngine
from doctor.settings import Settings, find_config, load_settings

Stamp = tuple[tuple[str, int, int], ...]
_RULES = (".yaml", ".yml")
PATIENCE = 0.3  # of the hook's deadline, for one answer of a foreign plugin


class Practice:
    """The Doctors of one process, one for each configuration.

    Args:
        step: is told every step of a repair after it is done.
    """

    def __init__(self, step: Callable[[str], None]):
        self._step = step
        self._open: dict[str | None, tuple[Stamp, Settings, Doctor | None]] = {}

    def settings(self, config: str | None) -> Settings:
        """Return the settings as the files have them now; raises DoctorError."""
        return self._current(config)[1]

    def doctor(self, config: str | None) -> Doctor | None:
        """Return the Doctor of a configuration, None where nothing is configured."""
        return self._current(config)[2]

    def rest(self) -> None:
        """Get ready for the next question."""
        for _, _, doctor in self._open.values():
            if doctor is not None and isinstance(doctor.engine, DurableEngine):
                doctor.engine.warm()

    def close(self) -> None:
        """Let go of everything."""
        for config in list(self._open):
            self._drop(config)

    def _current(self, config: str | None) -> tuple[Stamp, Settings, Doctor | None]:
        file = Path(config) if config else find_config(Path.cwd())
        known = self._open.get(config)
        if known is not None and known[0] == _stamp(file, known[1].rules.paths):
            return known
        self._drop(config)
        settings = load_settings(file)
        current = (_stamp(file, settings.rules.paths), settings, self._doctor(settings))
        self._open[config] = current
        return current

    def _doctor(self, settings: Settings) -> Doctor | None:
        system = settings.system
        if system.database is None and system.api is None and not system.logs:
            return None
        doctor = Doctor(settings, step=self._step)
        doctor.registry.hurry(settings.hook.deadline * PATIENCE)
        return doctor

    def _drop(self, config: str | None) -> None:
        known = self._open.pop(config, None)
        if known is not None and known[2] is not None:
            known[2].close()


def _stamp(file: Path | None, rules: tuple[str, ...]) -> Stamp:
    return tuple(_stamps(file, rules))


def _stamps(file: Path | None, rules: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    places = [Path(one) for one in rules]
    for place in (*((file,) if file else ()), *places):
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        for one in found:
            if one == place or one.suffix in _RULES:
                try:
                    state = one.stat()
                except OSError:
                    continue
                yield str(one), state.st_mtime_ns, state.st_size
