"""A made-up municipality of any size, from a pilot to a whole city, for measuring, showing and trying out.

`manage.py generate_city` writes it into a database that has no such municipality yet. The same seed, size and
instant give the same rows, apart from what the municipality's own secret role keys sign and seal. No person,
company or address is real, and a client is an alarm code as everywhere else.

The private keys of its locks and phones follow from the seed (`server.city.luck`), so that a bench can play
any of them, and so can anybody else: never mount a real lock in a generated municipality.
"""
