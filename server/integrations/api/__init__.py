"""What business systems call."""
