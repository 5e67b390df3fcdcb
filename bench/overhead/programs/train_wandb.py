import wandb

with wandb.init(project="bench", mode="offline", config={"x": 0.5}) as run:
    run.log({"loss": run.config["x"]})
