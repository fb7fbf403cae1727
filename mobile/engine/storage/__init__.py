"""What the phone keeps on disk, and how it survives a power cut at any write."""
