"""What every benchmark needs: environments of their own, a real server, children that are watched, honest figures.

In: a folder where everything may lie. Out: samples and what the machine was; nothing outside the folder is touched.
Standard library only, so that any Python ≥ 3.10 can start a benchmark; Besom and its peers live in environments.

    from common.environments import Environments          # Environments(folder).besom(): a Python that has this Besom
    from common.servers import besom_server               # a context manager: a real server
    from common.postgres import Postgres                  # a private PostgreSQL; the tests start theirs by it too
    from common.watching import watched                   # a command's answer, and wall, CPU, memory of all below it
    from common.figures import Medians, interleaved       # contenders take turns; medians of their figures
    from common.machine import facts                      # cores, processor, load: what a figure is worth
"""
