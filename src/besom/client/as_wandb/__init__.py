"""Besom's client under the name that W&B's scripts import: their names, spelled with ours.

In: the calls of a script that says `import wandb`. Out: the same runs as `import besom` makes; what Besom does not
have is accepted and told once by name. The folder `on_path/` puts it before the real package.
"""
