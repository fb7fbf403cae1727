"""Provider switches: one care provider's clients become another's at one instant, with proof afterwards."""
