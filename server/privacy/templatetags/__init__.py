"""Template filters of the register extract."""
