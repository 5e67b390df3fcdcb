"""What happens next: states, the next run, early stopping, what an ending means, what a run's numbers add up to.

In: records of sweeps, runs and attempts, a searcher, stoppers, values, the time. Out: decisions as values.
Pure: it could run on paper, so every race that we ever meet becomes a line in a table of tests.
"""
