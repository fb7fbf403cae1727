"""What can be done to properties."""
