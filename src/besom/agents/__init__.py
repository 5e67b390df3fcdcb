"""What runs beside the training: asks for runs, starts them, watches, ships what they log, reports how they ended.

In: a sweep's path, a connection to the server, a program or a Python function.
Out: an `Ending` with an exit code that says why the agent ended. Decides nothing about runs: it reports codes and
signals. Standard library only.
"""
