"""Ten thousand taps in stairwells: real phone engine, real lock agent, a fixed mix of bad luck, counted."""
