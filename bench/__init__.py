"""pabal's benchmark suite: the same work asked of pabal and of its peers, by turns, in one run.

`python -m bench` from the project's root; docs/benchmarks.md says what is measured and how to read it.

    shapes.py       what is measured: the work, and the figures that are published of it
    adapters.py     how each client is asked to do that work: one row per client
    client.py       the program that is measured: one client, one shape, one line of JSON
    server.py       nginx, which answers
    environment.py  the peers' own virtual environment, cores, open files
    runner.py       rounds, turns and time limits
    results.py      samples, medians, ratios
    report.py       Markdown, README, JSON
    svg.py          plots
"""
