"""What the holders of a municipality's root keys run, each on a machine without a network."""
