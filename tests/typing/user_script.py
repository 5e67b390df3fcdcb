"""What users write; read by mypy, never run. A wrong type behind a public name fails here."""

from typing import Any

from typing_extensions import assert_type

import besom

with besom.init(project="digits", config={"lr": 0.1}, tags=["a"], mode="offline") as run:
    assert_type(run, besom.Run)
    run.log({"loss": 0.5}, step=3)
    run.define_metric("loss", summary="min")
    assert_type(run.id, str)
    assert_type(run.url, str | None)
    assert_type(run.config.lr, Any)
    assert_type(run.config["lr"], Any)
    assert_type(run.resumed, bool)
    run.summary["best"] = 0.1

besom.log({"loss": 1}, step=1, commit=True)
besom.config.update({"epochs": 3}, allow_val_change=True)
assert_type(besom.config.get("epochs"), Any | None)
besom.summary["x"] = 1
assert_type(besom.run, besom.Run | None)
besom.save("*.pt", policy="end")
besom.mark_preempting()
besom.finish(exit_code=0)

sweep_id = besom.sweep({"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}, project="digits")
assert_type(sweep_id, str)

answer = besom.suggest({"method": "random", "parameters": {"lr": {"values": [0.1, 0.2]}}}, [], seed=3)
assert_type(answer, dict[str, Any])


def train() -> None:
    besom.init(settings=besom.Settings(run_name="x"))


besom.agent(sweep_id, train, count=5)

sweep = besom.Api().sweep(f"me/digits/{sweep_id}")
assert_type(sweep.state, str)
assert_type(sweep.best_loss, float | None)
best = sweep.best_run()
if best is not None:
    assert_type(best.config, dict[str, Any])
    assert_type(best.summary, dict[str, Any])
    for row in best.scan_history(keys=["loss"]):
        assert_type(row, dict[str, Any])

try:
    besom.init(mode="disabled")
except besom.UsageError as error:
    print(error)
