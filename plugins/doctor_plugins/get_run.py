"""The GET of the run: what the API really answers now, with its body."""

from __future__ import annotations

from collections.abc import Iterator

from doctor import Fact, FactField, FactKind, Gap, Run, SourceError, System, hookimpl

GET_RUN = FactKind(
    "api.get_run",
    "the answer of the API to the GET of one run",
    (
        FactField("run"),
        FactField("endpoint"),
        FactField("status", "int"),
        FactField("body", required=False),
    ),
)
NO_ANSWER = FactKind(
    "api.no_answer",
    "the API gave no usable answer",
    (FactField("run"), FactField("reason")),
)
BODY = 500
HTTP_ERRORS = 400


class GetRun:
    """Reads one run through the API; for the whole system only tells whether the API answers."""

    name = "api.get_run"
    kinds = (GET_RUN, NO_ANSWER)

    def collect(self, system: System, run: Run) -> Iterator[Fact | Gap]:
        """Yield the answer; where there is none, yield that and raise why."""
        if system.api is None:
            if system.unasked is not None:
                yield Gap(self.name, f"the API was not asked: {system.unasked}")
            return
        if run.id is None:
            system.api.get(system.health or "/openapi.json")
            return
        try:
            if system.route is None:
                raise SourceError(system.route_reason or "the route of a run is not known")
            answer = system.api.get(system.route)
        except SourceError as error:
            reason = "refused" if "refuses connections" in error.message else "silent"
            yield Fact(NO_ANSWER.name, {"run": run.id, "reason": reason}, "api")
            raise
        fields: dict[str, str | int] = {
            "run": run.id,
            "endpoint": system.route,
            "status": answer.status,
        }
        if answer.status >= HTTP_ERRORS:
            fields["body"] = answer.body[:BODY]
        yield Fact(GET_RUN.name, fields, "api")


@hookimpl
def doctor_probes() -> tuple[GetRun, ...]:
    """Register the probe."""
    return (GetRun(),)
