"""The phone's engine: Bluetooth, HTTP and the vault, on a thread and an asyncio loop of its own."""
