"""The command line: `main` and one file a command.

In: arguments, files and answers of the server. Out: text for people (stderr), results (stdout), exit codes.
It decides nothing, and each command imports what it needs when it is called.
"""
