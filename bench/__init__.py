"""Speed, size and memory: ratios against a baseline of the same run, medians, the machine named."""
