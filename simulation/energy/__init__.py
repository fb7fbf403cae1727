"""How long a lock on four AA cells lasts: counted work of the real lock, stated currents of a named chip.

`year` counts (real core, store and agent in virtual time), `airtime` counts one visit on the simulated radio,
`operations` counts the cryptography, `figures` states what each costs and where the figure is from, `budget`
multiplies. What has been measured on a battery lock: nothing; there is none.
"""
