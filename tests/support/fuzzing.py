"""Schemathesis against a live server's own OpenAPI document, and what every answer of it must be."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

# One would end the server; the other never ends by itself.
LEFT_OUT = ("POST /api/v1/server/stop", "GET /api/v1/events")
PROBLEM = {"kind", "detail", "problems", "offset"}
MOST_DETAIL = 2000
INNER_NAMES = ("Traceback", "sqlalchemy", "sqlite3", "psycopg", "msgspec", "object at 0x", "SELECT ", "INSERT ")


def operations(url: str, token: str) -> Iterator[APIOperation]:
    """Every operation that the server documents but those of `LEFT_OUT`."""
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=_proof(token))
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label not in LEFT_OUT:
            yield operation


def world(call: Callable[..., Any]) -> dict[str, Any]:
    """Makes a sweep with an agent and a run in its hands; returns their names as addresses and bodies call them."""
    config = {
        "method": "random", "program": "train.py", "project": "fuzzing", "metric": {"name": "loss", "goal": "minimize"},
        "early_terminate": {"type": "hyperband", "min_iter": 2}, "parameters": {"x": {"min": 0.0, "max": 1.0}},
    }  # fmt: skip
    sweep = call("POST", "/api/v1/sweeps", {"request_id": os.urandom(8).hex(), "config": config})["id"]
    agent = call("POST", "/api/v1/agents", {"uid": os.urandom(8).hex(), "sweep_id": sweep})["uid"]
    run = call("POST", f"/api/v1/agents/{agent}/claim", {"request_id": os.urandom(8).hex()})["uid"]
    return {
        "id": sweep, "sweep_id": sweep, "sweep": sweep, "agent": agent, "uid": run, "number": "1", "writer": "w0",
        "kind": "history",
    }  # fmt: skip


def fuzz(operation: APIOperation, token: str, real: Mapping[str, Any], examples: int, seed: int) -> Counter[int]:
    """Sends requests that fit the document and requests that do not; returns how often each status came back.

    ``real`` names things that exist: every second request is about them, so that it gets past the look-up. Fails with
    the request at the first answer that is no answer of ours.
    """
    seen: Counter[int] = Counter()
    cases = st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE))

    @hypothesis.seed(seed)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases, st.booleans())
    def ask(case: Case, about_real: bool) -> None:
        if about_real:
            _point_at(case, real)
        answer = case.call(headers=_proof(token))
        seen[answer.status_code] += 1
        told = f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}\n{answer.content!r:.500}"
        assert answer.status_code < 500, told
        case.validate_response(answer, checks=[response_schema_conformance, status_code_conformance])
        if answer.status_code >= 400:
            assert is_problem(answer.content), told

    ask()
    return seen


def is_problem(body: bytes) -> bool:
    """True for the body of a refusal: the documented keys and a sentence for people."""
    problem = json.loads(body)
    return set(problem) == PROBLEM and is_a_sentence(problem["detail"])


def is_a_sentence(text: str) -> bool:
    """True for words that a person can read: no traceback, no inner name of a database's or Python's."""
    return bool(text.strip()) and len(text) <= MOST_DETAIL and not any(word in text for word in INNER_NAMES)


def _point_at(case: Case, real: Mapping[str, Any]) -> None:
    """Names real things in the address and at the top of the body, where such names stand."""
    for name in list(case.path_parameters or {}):
        if name in real:
            case.path_parameters[name] = real[name]
    if isinstance(case.body, dict):
        for name in case.body.keys() & real.keys():
            case.body[name] = real[name]


def _proof(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
