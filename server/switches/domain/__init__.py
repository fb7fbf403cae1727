"""What a switch does and what it can show: choosing, previewing, carrying out, undoing, proving."""
