"""Personal data by class: each names what it holds of a person, hands it out, and shreds it in time."""
