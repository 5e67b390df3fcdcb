"""The only room that speaks SQL: tables, migrations, one writer, readers that build answers.

In: connections, records of `engine`, bytes of spools. Out: records, answers of `wire`, bytes.
It decides nothing: what a change means is worked out in `engine` and called for in `operations`.
"""
