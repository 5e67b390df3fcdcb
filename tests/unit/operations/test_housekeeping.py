"""What keeps a server that runs for years from growing for ever."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from besom.operations import agents, housekeeping, tokens
from besom.operations.housekeeping import AGENTS_KEPT_S, TOKENS_KEPT_S
from besom.store import tidying
from besom.store import tokens as stored_tokens
from besom.store.tables import agent, token


def test_agents_that_ended_long_ago_are_forgotten_and_their_runs_stay(hand: Any) -> None:
    sweep = hand.sweep()
    old, alive = hand.agent(sweep), hand.agent(sweep)
    run = hand.take(old)
    hand.finish(run.uid)
    hand.do(agents.end, old, "done")
    hand.clock.pass_s(AGENTS_KEPT_S + 1)

    hand.do(housekeeping.tidy)

    left = hand.database.read_now(lambda c: c.execute(select(agent.c.uid)).scalars().all())
    assert left == [alive]
    assert hand.run(run.uid).state == "finished"


def test_tokens_that_are_worth_nothing_are_forgotten_but_for_the_local_one(hand: Any) -> None:
    def make(name: str, **more: Any) -> Any:
        return hand.database.write_now(tokens.create, name, "agent", entity="mira", now=hand.clock(), **more)

    make("good")
    make("lasts", expires_s=TOKENS_KEPT_S * 3)
    make("expired", expires_s=10.0)
    for name in ("revoked", tidying.LOCAL_TOKEN_NAME):
        hand.database.write_now(stored_tokens.revoke, make(name).id)
    hand.clock.pass_s(TOKENS_KEPT_S + 11)

    hand.do(housekeeping.tidy)

    left = hand.database.read_now(lambda c: c.execute(select(token.c.name).order_by(token.c.id)).scalars().all())
    assert left == ["good", "lasts", tidying.LOCAL_TOKEN_NAME]
