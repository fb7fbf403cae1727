"""A board with real pins: what hangs where (`config`), gpiozero (`wiring`), what is felt (`senses`)."""
