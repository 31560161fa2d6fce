"""Asking from an event loop: in a thread of its own, shared by all tasks with the same question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from doctor.executors.advice import Advice, no_opinion

Asking = dict[Any, "asyncio.Future[Advice]"]


def task() -> int:
    """Return what tells this task from others."""
    return id(asyncio.current_task())


async def ask_in_thread(
    asking: Asking, key: Any, ask: Callable[[], Advice], seconds: float
) -> Advice:
    """Return what ``ask`` returns; no opinion after ``seconds``.

    The default executor of the loop is not used: it may be full of what is failing.
    """
    loop = asyncio.get_running_loop()
    place = (id(loop), key)
    future = asking.get(place)
    if future is None:
        future = asking[place] = loop.create_future()
        answered = future

        def settle(advice: Advice) -> None:
            asking.pop(place, None)
            answered.set_result(advice)

        def work() -> None:
            advice = no_opinion("doctor could not be asked")
            try:
                advice = ask()
            except Exception as failure:  # noqa: BLE001 - as consult
                advice = no_opinion(f"doctor could not be asked: {type(failure).__name__}")
            finally:
                with suppress(RuntimeError):  # the loop may be closed by now
                    loop.call_soon_threadsafe(settle, advice)

        try:
            Thread(target=work, name="doctor-consult", daemon=True).start()
        except BaseException:
            asking.pop(place, None)
            raise
    try:
        return await asyncio.wait_for(asyncio.shield(future), seconds)
    except TimeoutError:
        return no_opinion("doctor gave no answer in time")
