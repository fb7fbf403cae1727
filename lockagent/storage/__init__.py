"""What the lock must remember through any power cut: identity, state record and log ring."""
