"""The soak: the whole mesh under a storm of faults, then what must hold all the same (``make soak``; docs/faults.md).

``__main__`` tells the story: ``world`` starts everything, ``load`` keeps documents coming, ``storm`` does the faults of
``catalogue``, ``invariants`` looks at what is left. ``mutants`` takes one guard away at a time, and each must be seen.
"""
