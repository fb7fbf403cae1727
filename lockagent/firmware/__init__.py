"""The lock's own program: two places for images, a record of them, and what chooses at every start."""
