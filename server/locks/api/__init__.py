"""Fresh time for phones at a lock, and the installer's calls."""
