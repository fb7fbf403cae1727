"""What happened at the doors: sealed logs in, passages, gaps, deviations."""
