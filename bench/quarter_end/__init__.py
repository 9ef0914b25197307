"""``make simulate``: a quarter end of many firms at virtual vendors, by a virtual clock.

What decides is Koppel's own: the windows of the profiles, the state machine with its retry schedule, the sizes of batches. Only
the claim is written anew, as it is SQL (``claiming.py``); tests/test_quarter_end.py holds the two side by side.
"""
