"""What a whole shift is played with: a server, doors in a street, and a phone that can be killed."""
