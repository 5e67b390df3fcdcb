"""`besom completion`: the script that makes the shell complete commands and options."""

from __future__ import annotations

import click

from besom.cli.output import write


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Example:
      eval "$(besom completion bash)"                        in ~/.bashrc
      eval "$(besom completion zsh)"                         in ~/.zshrc
      besom completion fish > ~/.config/fish/completions/besom.fish
    """
    from click.shell_completion import get_completion_class

    from besom.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}: bash, zsh and fish have one")
    write(kind(cli, {}, "besom", "_BESOM_COMPLETE").source())
