"""What the pages of passages need in their templates."""
