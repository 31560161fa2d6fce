"""An attempt of an executor: names run and operation for what happens inside, and reports its end.

An attempt that was started and never ended tells of a worker that died without an exception.
"""

from __future__ import annotations

import itertools
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Self

from doctor.executors.advice import Advice
from doctor.executors.context import OPERATION, RUN

if TYPE_CHECKING:
    from doctor.executors.client import Hook

_NUMBERS = itertools.count(1)
NAME_CAP = 200


class Attempt:
    """One try of one call; a context manager, sync and async, used once.

    Inside of it ``consult`` and ``observe_success`` know run and operation. It ends well without
    an exception: that is a success. Exceptions pass through.
    """

    def __init__(self, hook: Hook, run: str | None, operation: str | None):
        self.run = run
        self.operation = operation
        self._hook = hook
        self._number = next(_NUMBERS)
        self._tokens: list[tuple[ContextVar[str | None], Token[str | None]]] = []

    def outlook(self, deadline: float | None = None) -> Advice:
        """Return whether this attempt is worth making; see ``Hook.outlook``."""
        return self._hook.outlook(self.run, self.operation, deadline)

    def __enter__(self) -> Self:
        self.run = RUN.get() if self.run is None else self.run
        self.operation = OPERATION.get() if self.operation is None else self.operation
        self._tokens = [(OPERATION, OPERATION.set(self.operation)), (RUN, RUN.set(self.run))]
        self._note("started")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for variable, token in self._tokens:
            variable.reset(token)
        self._note("ended")
        if kind is None:
            self._hook.observe_success(self.run, self.operation)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _note(self, what: str) -> None:
        names = {"run": self.run, "operation": self.operation}
        texts = {name: value and str(value)[:NAME_CAP] for name, value in names.items()}
        self._hook.tell({"note": what, "attempt": self._number, **texts})
