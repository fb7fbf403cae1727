"""Can somebody who listens for a week tell that two adverts are one lock's? Real locks, and an ear.

`house` runs the locks and the people, `ear` hears and probes, `judge` asks with statistics whether anything
that was heard tells locks apart better than chance. ``python -m simulation.privacy`` runs a week.
"""
