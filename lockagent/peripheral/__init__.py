"""The lock on the air: a GATT server on bumble, behind a port that another stack could fill."""
