"""What every REST view shares: errors in words, bounded input, base64url fields, who is calling."""
