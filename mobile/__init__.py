"""The bearer: the phone app that stores access tokens and opens doors over Bluetooth."""
