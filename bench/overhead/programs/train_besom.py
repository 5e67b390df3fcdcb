import besom

with besom.init() as run:
    besom.log({"loss": run.config["x"]})
