"""`python -m besom`: the command line."""
